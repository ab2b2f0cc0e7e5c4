import { AppError } from '../common/app-error.js';

/** Also for a contact of somebody else: whether it exists is theirs to know. */
export class ContactNotFoundError extends AppError {
  constructor() {
    super('ERR_CONTACT_NOT_FOUND');
  }
}
