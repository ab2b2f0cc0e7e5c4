/**
 * Sent with every response. An API answers programs, so a browser may do nothing with an answer: not
 * sniff it, frame it, run it or pass its address on.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};

/** Two years (RFC 6797). Only in production: a browser would remember it for every port of localhost. */
export const strictTransportSecurity: Readonly<Record<string, string>> = {
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
};
