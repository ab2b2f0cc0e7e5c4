import { AppError } from '../common/app-error.js';

/** Unknown, used up, expired, not the caller's, or a wrong token or passphrase: nobody is told which. */
export class ShareNotFoundError extends AppError {
  constructor() {
    super('ERR_SHARE_NOT_FOUND');
  }
}
