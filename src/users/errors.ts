import { AppError } from '../common/app-error.js';
import { problemCatalogue } from '../common/problem-catalogue.js';

export class EmailTakenError extends AppError {
  override readonly code = 'ERR_EMAIL_TAKEN';

  constructor() {
    super(problemCatalogue.ERR_EMAIL_TAKEN.detail);
  }
}
