import { AppError } from '../common/app-error.js';

export class EmailTakenError extends AppError {
  constructor() {
    super('ERR_EMAIL_TAKEN');
  }
}

export class UserNotFoundError extends AppError {
  constructor() {
    super('ERR_USER_NOT_FOUND');
  }
}

/** Without an administrator who is enabled nobody could make another one over the API. */
export class LastAdministratorError extends AppError {
  constructor() {
    super('ERR_LAST_ADMINISTRATOR');
  }
}

/** What can't be looked up may be on the list. */
export class PasswordListUnavailableError extends AppError {
  override readonly headers = { 'Retry-After': '5' };

  constructor(cause: unknown) {
    super('ERR_UNAVAILABLE', { cause });
  }
}
