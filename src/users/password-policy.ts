/** Code points of a password that is all a login asks for (SP 800-63B-4, section 3.1.1.2). */
export const MIN_LENGTH_ALONE = 15;
/** Bytes of UTF-8; longer passwords would only cost hashing time. */
const MAX_PASSWORD_BYTES = 1_024;
/** A part of an e-mail address shorter than this says little about the password. */
const MIN_EMAIL_PART = 4;

/**
 * What is wrong with a password, or `undefined` (NIST SP 800-63B-4, section 3.1.1.2): long enough, not
 * too long, no composition rules, not made from the e-mail address, a repeat or a sequence.
 *
 * @param minLength - Unicode code points, counted after NFKC
 */
export function passwordFault(password: string, email: string, minLength: number): string | undefined {
  // UTF-8 has no lone surrogates: all of them would become one character, and passwords alike.
  if (!password.isWellFormed()) return 'must be well-formed Unicode text';
  const normalized = password.normalize('NFKC');
  const codePoints = Array.from(normalized, (character) => character.codePointAt(0) ?? 0);
  if (codePoints.length < minLength) return `must have at least ${minLength} characters`;
  if (Buffer.byteLength(normalized, 'utf8') > MAX_PASSWORD_BYTES) {
    return `must have at most ${MAX_PASSWORD_BYTES} bytes`;
  }
  if (isRepeat(normalized) || isSequence(codePoints)) return 'must not be a repeat or a sequence';
  if (isMostlyEmail(normalized.toLowerCase(), email.toLowerCase(), minLength)) {
    return 'must not be made from the e-mail address';
  }
  return undefined;
}

/** Whether a password is long enough only together with a second factor. */
export function needsSecondFactor(password: string): boolean {
  return Array.from(password.normalize('NFKC')).length < MIN_LENGTH_ALONE;
}

/** The same one to four characters over and over. */
function isRepeat(password: string): boolean {
  return /^(.{1,4}?)\1+.{0,3}$/su.test(password);
}

/** Each code point one more, or one less, than the one before. */
function isSequence(codePoints: readonly number[]): boolean {
  const steps = codePoints.slice(1).map((codePoint, index) => codePoint - (codePoints[index] ?? 0));
  return steps.every((step) => step === 1) || steps.every((step) => step === -1);
}

/** Whether too little is left once the address and its parts are taken away. */
function isMostlyEmail(password: string, email: string, minLength: number): boolean {
  const parts = [email, ...email.split(/[^\p{L}\p{N}]+/u)].filter((part) => part.length >= MIN_EMAIL_PART);
  const rest = parts.reduce((left, part) => left.replaceAll(part, ''), password);
  return rest.length < password.length && Array.from(rest).length < minLength / 2;
}
