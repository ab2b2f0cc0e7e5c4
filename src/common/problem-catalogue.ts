/**
 * Every error code the API answers with, its HTTP status and the `detail` used when the error itself
 * says nothing more. Codes are part of the contract: add to them, never change one.
 */
export const problemCatalogue = {
  ERR_VALIDATION: { status: 400, detail: 'the request has fields that are not accepted' },
  ERR_MALFORMED_REQUEST: { status: 400, detail: 'the request cannot be read' },
  ERR_INVALID_CODE: { status: 400, detail: 'the code is not valid' },
  ERR_UNAUTHENTICATED: { status: 401, detail: 'a valid access token is required' },
  ERR_INVALID_CREDENTIALS: {
    status: 401,
    detail: 'the e-mail address or the password is wrong, or too many were before: then wait',
  },
  ERR_MFA_REQUIRED: { status: 401, detail: 'the code of the second factor is required' },
  ERR_INVALID_REFRESH_TOKEN: { status: 401, detail: 'the refresh token is not valid' },
  ERR_FORBIDDEN: { status: 403, detail: 'the caller lacks the permission for this' },
  ERR_STEP_UP_REQUIRED: { status: 403, detail: 'log in again: this needs a login of the last five minutes' },
  ERR_CLIENT_CERTIFICATE_REQUIRED: { status: 403, detail: 'this needs a client certificate' },
  ERR_REGISTRATION_CLOSED: { status: 403, detail: 'registration is closed' },
  ERR_NOT_FOUND: { status: 404, detail: 'there is nothing here' },
  ERR_CONTACT_NOT_FOUND: { status: 404, detail: 'there is no such contact' },
  ERR_SECRET_NOT_FOUND: { status: 404, detail: 'there is no such secret' },
  ERR_USER_NOT_FOUND: { status: 404, detail: 'there is no such user' },
  ERR_API_KEY_NOT_FOUND: { status: 404, detail: 'there is no such API key' },
  ERR_GRANT_NOT_FOUND: { status: 404, detail: 'there is no such grant' },
  ERR_RECIPIENT_NOT_FOUND: { status: 404, detail: 'there is no user to grant this to' },
  ERR_SHARE_NOT_FOUND: {
    status: 404,
    detail: 'there is no such share, or not with this token and passphrase',
  },
  ERR_SESSION_NOT_FOUND: { status: 404, detail: 'there is no such session' },
  ERR_METHOD_NOT_ALLOWED: { status: 405, detail: 'this path does not take that method' },
  ERR_REQUEST_TIMEOUT: { status: 408, detail: 'the request took too long to arrive' },
  ERR_TOTP_ACTIVE: { status: 409, detail: 'a second factor is active, remove it first' },
  ERR_TOTP_NEEDED: { status: 409, detail: 'the password is too short to do without, change it first' },
  ERR_LAST_ADMINISTRATOR: { status: 409, detail: 'this is the last administrator, make another one first' },
  ERR_EMAIL_TAKEN: { status: 409, detail: 'the e-mail address belongs to another user' },
  ERR_SECRET_STATE: { status: 409, detail: 'the version is in a state that does not allow this' },
  ERR_AUDIT_BROKEN: { status: 409, detail: 'the audit log was changed' },
  ERR_SECRET_GONE: { status: 410, detail: 'this version of the secret is gone' },
  ERR_PRECONDITION_FAILED: { status: 412, detail: 'the object has changed, read it again' },
  ERR_BODY_TOO_LARGE: { status: 413, detail: 'the body is too large' },
  ERR_URI_TOO_LONG: { status: 414, detail: 'the URL is too long' },
  ERR_UNSUPPORTED_MEDIA_TYPE: { status: 415, detail: 'the content type is not accepted here' },
  ERR_MISDIRECTED_REQUEST: { status: 421, detail: 'the Host is not one of this server' },
  ERR_PRECONDITION_REQUIRED: { status: 428, detail: 'send If-Match with the ETag of the version you read' },
  ERR_RATE_LIMITED: { status: 429, detail: 'too many requests, try again later' },
  ERR_HEADERS_TOO_LARGE: { status: 431, detail: 'the header fields are too large' },
  ERR_INTERNAL: { status: 500, detail: 'the server failed, its log has the request id' },
  ERR_OVERLOADED: { status: 503, detail: 'the server is busy, try again' },
  ERR_UNAVAILABLE: { status: 503, detail: 'the server cannot answer now, try again' },
} as const satisfies Record<`ERR_${string}`, { status: number; detail: string }>;

export type ErrorCode = keyof typeof problemCatalogue;
