import { AppError } from '../common/app-error.js';
import { problemCatalogue } from '../common/problem-catalogue.js';

/** Also for a version that never was. Names are each owner's own, so there is no foreign secret to find. */
export class SecretNotFoundError extends AppError {
  override readonly code = 'ERR_SECRET_NOT_FOUND';

  constructor() {
    super(problemCatalogue.ERR_SECRET_NOT_FOUND.detail);
  }
}

/** The version existed and may not be read any more. */
export class SecretGoneError extends AppError {
  override readonly code = 'ERR_SECRET_GONE';
  override readonly extensions: Readonly<Record<string, string>>;

  constructor(state: 'deleted' | 'expired') {
    super(problemCatalogue.ERR_SECRET_GONE.detail);
    this.extensions = { state };
  }
}
