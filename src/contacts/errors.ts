import { AppError } from '../common/app-error.js';
import { problemCatalogue } from '../common/problem-catalogue.js';

/** Also for a contact of somebody else: whether it exists is theirs to know. */
export class ContactNotFoundError extends AppError {
  override readonly code = 'ERR_CONTACT_NOT_FOUND';

  constructor() {
    super(problemCatalogue.ERR_CONTACT_NOT_FOUND.detail);
  }
}
