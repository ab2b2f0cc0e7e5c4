import { hash, randomBytes } from 'node:crypto';

/*
 * 24 characters of 5 random bits each in groups of four, such as `k3xw-…`: 120 bits, so a fast hash is enough for
 * what is stored of it. Crockford's alphabet has no letter that is taken for another or for a digit.
 */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CHARACTERS = 24;
const GROUP = /.{4}/g;
const LABEL = 'recovery-code/v1';

/** A new code that lets its owner in once without their second factor. Store only its digest. */
export function newRecoveryCode(): string {
  const characters = [...randomBytes(CHARACTERS)].map((byte) => ALPHABET[byte & 0x1f]).join('');
  return characters.match(GROUP)?.join('-') ?? '';
}

/** SHA-256 over the owner and the code, as it is stored; case, hyphens and spaces don't count. */
export function digestRecoveryCode(owner: string, code: string): Buffer {
  const characters = code
    .toLowerCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1');
  return hash('sha256', JSON.stringify([LABEL, owner, characters]), 'buffer');
}
