import { DecryptionError } from './errors.js';

/*
 * An envelope as text: "enc.v1." ‖ base64url (RFC 4648, section 5) without padding.
 *
 * One envelope has one text. Node reads base64url leniently: it takes padding, white space, the other alphabet and
 * bits that belong to no byte. So one value would have many spellings, and whoever compares, counts or bans
 * encrypted texts could be passed by.
 */
const PREFIX = 'enc.v1.';

export function textOf(envelope: Buffer): string {
  return PREFIX + envelope.toString('base64url');
}

/** @throws DecryptionError for whatever `textOf` doesn't give */
export function envelopeOf(text: string): Buffer {
  const envelope = Buffer.from(text.slice(PREFIX.length), 'base64url');
  if (textOf(envelope) !== text) throw new DecryptionError();
  return envelope;
}

/** @throws TypeError for a lone surrogate: UTF-8 makes U+FFFD of every one, so another text would come back */
export function encodeText(text: string): Buffer {
  if (!text.isWellFormed()) throw new TypeError('text to encrypt is not well-formed');
  return Buffer.from(text, 'utf8');
}

/**
 * @param keyId for the error
 * @throws DecryptionError for bytes that `encodeText` doesn't give
 */
export function decodeText(bytes: Uint8Array, keyId: string): string {
  try {
    // A byte order mark is part of the text as anything else.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DecryptionError(keyId, { cause });
  }
}
