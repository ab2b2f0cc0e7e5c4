import { ValidationError } from '../common/app-error.js';

/** Spaces too, but the one that a quoted local part may have, and the Braille pattern without dots, which is no space. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}/u;

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
