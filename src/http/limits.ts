/** Of the request line and the header fields together. */
export const HEADERS_LIMIT_BYTES = 16 * 1024;
export const HEADER_FIELDS_LIMIT = 100;
/** Of the request target. */
export const URL_LIMIT_BYTES = 8 * 1024;
export const BODY_LIMIT_BYTES = 64 * 1024;
/** Above the longest secret name, so that the route itself can say what is wrong with a longer one. */
export const MAX_PARAM_LENGTH = 512;

/** How often Node looks for connections that are too slow; what it finds may be late by as much. */
export const TIMEOUT_CHECK_INTERVAL_MS = 500;
/** From the connection, or the first byte of a further request, to the end of the header fields. */
export const HEADERS_TIMEOUT_MS = 9_500;
/** To the end of the body. */
export const REQUEST_TIMEOUT_MS = 14_500;
/** What clients are told. The connection is closed half a second later, so that no request crosses the closing. */
export const KEEP_ALIVE_TIMEOUT_MS = 4_000;
/** From an answer to the end of the next request's header fields. */
export const IDLE_LIMIT_MS = 4_500;
