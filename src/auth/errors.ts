import { AppError } from '../common/app-error.js';
import { problemCatalogue } from '../common/problem-catalogue.js';

/** No token, or one that isn't accepted: which of the two, and why, is nobody's business. */
export class UnauthenticatedError extends AppError {
  override readonly code = 'ERR_UNAUTHENTICATED';

  constructor() {
    super(problemCatalogue.ERR_UNAUTHENTICATED.detail);
  }
}

/** Unknown e-mail address, wrong password and disabled account alike. */
export class InvalidCredentialsError extends AppError {
  override readonly code = 'ERR_INVALID_CREDENTIALS';

  constructor() {
    super(problemCatalogue.ERR_INVALID_CREDENTIALS.detail);
  }
}

export class InvalidRefreshTokenError extends AppError {
  override readonly code = 'ERR_INVALID_REFRESH_TOKEN';

  constructor() {
    super(problemCatalogue.ERR_INVALID_REFRESH_TOKEN.detail);
  }
}

export class ForbiddenError extends AppError {
  override readonly code = 'ERR_FORBIDDEN';

  constructor() {
    super(problemCatalogue.ERR_FORBIDDEN.detail);
  }
}

export class RegistrationClosedError extends AppError {
  override readonly code = 'ERR_REGISTRATION_CLOSED';

  constructor() {
    super(problemCatalogue.ERR_REGISTRATION_CLOSED.detail);
  }
}

export class SessionNotFoundError extends AppError {
  override readonly code = 'ERR_SESSION_NOT_FOUND';

  constructor() {
    super(problemCatalogue.ERR_SESSION_NOT_FOUND.detail);
  }
}
