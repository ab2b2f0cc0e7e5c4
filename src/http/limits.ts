/** Of the request line and the header fields together. */
export const HEADERS_LIMIT_BYTES = 16 * 1024;
export const BODY_LIMIT_BYTES = 64 * 1024;
/** Above the longest secret name, so that the route itself can say what is wrong with a longer one. */
export const MAX_PARAM_LENGTH = 512;

export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 15_000;
export const KEEP_ALIVE_TIMEOUT_MS = 5_000;
