import { AppError } from '../common/app-error.js';

export class EmailTakenError extends AppError {
  constructor() {
    super('ERR_EMAIL_TAKEN');
  }
}
