import { AppError } from '../common/app-error.js';

/** No token, or one that isn't accepted: which of the two, and why, is nobody's business. */
export class UnauthenticatedError extends AppError {
  constructor() {
    super('ERR_UNAUTHENTICATED');
  }
}

/** Unknown e-mail address, wrong password and disabled account alike. */
export class InvalidCredentialsError extends AppError {
  constructor() {
    super('ERR_INVALID_CREDENTIALS');
  }
}

/** What was shown was right, and was no more so at the moment in which the session was to begin. */
export class AccountChangedError extends InvalidCredentialsError {}

/** The password was right, and the account has a second factor. */
export class MfaRequiredError extends AppError {
  constructor() {
    super('ERR_MFA_REQUIRED');
  }
}

export class InvalidRefreshTokenError extends AppError {
  constructor() {
    super('ERR_INVALID_REFRESH_TOKEN');
  }
}

/** The route is sensitive and the caller signed in too long ago, or came with an API key. */
export class StepUpRequiredError extends AppError {
  constructor() {
    super('ERR_STEP_UP_REQUIRED');
  }
}

export class RegistrationClosedError extends AppError {
  constructor() {
    super('ERR_REGISTRATION_CLOSED');
  }
}

/** Also for a key of somebody else. */
export class ApiKeyNotFoundError extends AppError {
  constructor() {
    super('ERR_API_KEY_NOT_FOUND');
  }
}

export class SessionNotFoundError extends AppError {
  constructor() {
    super('ERR_SESSION_NOT_FOUND');
  }
}
