/**
 * Sent with every response. An API answers programs, so a browser may do nothing with an answer: not
 * sniff it, frame it, run it or pass its address on. Names in lower case, which Fastify would make of them for
 * every response.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Two years (RFC 6797). Only in production: a browser would remember it for every port of localhost. */
export const strictTransportSecurity: Readonly<Record<string, string>> = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
};
