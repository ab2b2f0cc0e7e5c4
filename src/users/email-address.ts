import { ValidationError } from '../common/app-error.js';

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Refuses an address with characters that nobody sees: it would look the same as another one to whoever administers
 * users (UTS #39).
 *
 * @throws {ValidationError}
 */
export function refuseInvisible(email: string): void {
  if (!INVISIBLE.test(email)) return;
  throw new ValidationError([{ pointer: '/email', detail: 'must not have invisible characters' }]);
}
