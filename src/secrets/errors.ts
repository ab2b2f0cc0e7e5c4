import { AppError } from '../common/app-error.js';

/** Also for a version that never was. Names are each owner's own, so there is no foreign secret to find. */
export class SecretNotFoundError extends AppError {
  constructor() {
    super('ERR_SECRET_NOT_FOUND');
  }
}

/** The version existed and may not be read any more. */
export class SecretGoneError extends AppError {
  override readonly extensions: Readonly<Record<string, string>>;

  constructor(state: 'deleted' | 'expired') {
    super('ERR_SECRET_GONE');
    this.extensions = { state };
  }
}
