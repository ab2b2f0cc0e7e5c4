import { AppError } from '../common/app-error.js';

/** Wrong, used before, too old, refused in a back-off, or no factor waits for one: which, is nobody's business. */
export class InvalidCodeError extends AppError {
  constructor() {
    super('ERR_INVALID_CODE');
  }
}

export class TotpActiveError extends AppError {
  constructor() {
    super('ERR_TOTP_ACTIVE');
  }
}

export class TotpNeededError extends AppError {
  constructor() {
    super('ERR_TOTP_NEEDED');
  }
}
