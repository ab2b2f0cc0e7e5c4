import { AppError } from '../common/app-error.js';

export class NotReadyError extends AppError {
  constructor(cause: unknown) {
    super('ERR_UNAVAILABLE', { cause });
  }
}
