import { AppError } from '../common/app-error.js';
import { problemCatalogue } from '../common/problem-catalogue.js';

export class NotReadyError extends AppError {
  override readonly code = 'ERR_UNAVAILABLE';

  constructor(cause: unknown) {
    super(problemCatalogue.ERR_UNAVAILABLE.detail, { cause });
  }
}
