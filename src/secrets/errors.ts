import { AppError } from '../common/app-error.js';

type UnreadableState = 'deleted' | 'destroyed' | 'expired';

/** Also for a version that never was. Names are each owner's own, so there is no foreign secret to find. */
export class SecretNotFoundError extends AppError {
  constructor() {
    super('ERR_SECRET_NOT_FOUND');
  }
}

/** The version existed and may not be read any more. */
export class SecretGoneError extends AppError {
  override readonly extensions: Readonly<Record<string, string>>;

  constructor(readonly state: UnreadableState) {
    super('ERR_SECRET_GONE');
    this.extensions = { state };
  }
}

/** Unknown, revoked, expired, or of others. */
export class GrantNotFoundError extends AppError {
  constructor() {
    super('ERR_GRANT_NOT_FOUND');
  }
}

/** There is nobody with this id to grant anything to. */
export class RecipientNotFoundError extends AppError {
  constructor() {
    super('ERR_RECIPIENT_NOT_FOUND');
  }
}

/** What was asked for is not possible with a version in this state. */
export class SecretStateError extends AppError {
  override readonly extensions: Readonly<Record<string, string>>;

  constructor(version: number, state: 'active' | UnreadableState) {
    super('ERR_SECRET_STATE', { detail: `version ${version} is ${state}` });
    this.extensions = { state };
  }
}

/** A patch would make the data larger than a body that could have written it. */
export class SecretTooLargeError extends AppError {
  constructor() {
    super('ERR_BODY_TOO_LARGE', { detail: 'the data would be too large' });
  }
}
