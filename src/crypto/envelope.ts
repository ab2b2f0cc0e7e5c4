import { DecryptionError } from './errors.js';
import { type SuiteId, suiteNameOf, type SuiteName } from './suites.js';

/*
 * Envelope v1, integers big-endian:
 *
 *    0   1  0x01 format version
 *    1   1  suite
 *    2   8  key id, random
 *   10   …  what the suite makes: 0x01 salt 24 ‖ commitment 32 ‖ chunks; 0x02 nonce 24 ‖ ciphertext ‖ tag 16
 *
 * The suite authenticates bytes[0..10] ‖ u16 n ‖ n × (u16 length ‖ name ‖ u32 length ‖ value), entries sorted
 * by name (by UTF-16 code unit, as JavaScript sorts), names and values in UTF-8.
 */
const FORMAT_VERSION = 0x01;
const KEY_ID_OFFSET = 2;
export const HEADER_BYTES = 10;
const COUNT_BYTES = 2;
const NAME_LENGTH_BYTES = 2;
const VALUE_LENGTH_BYTES = 4;
const KEY_ID = /^[0-9a-f]{16}$/;
const MAX_NAME_BYTES = 0xffff;
const MAX_UTF8_BYTES_PER_CODE_UNIT = 3;
const MAX_ASCII = 0x7f;

export interface EnvelopeHeader {
  readonly suite: SuiteName;
  /** 16 lower-case hex characters */
  readonly keyId: string;
}

/**
 * The first 10 bytes of every envelope of one key.
 *
 * @param keyId 16 lower-case hex characters
 */
export function encodeHeader(suiteId: SuiteId, keyId: string): Buffer {
  if (!KEY_ID.test(keyId)) throw new TypeError(`key id ${keyId} is not 16 lower-case hex characters`);
  return Buffer.concat([Buffer.of(FORMAT_VERSION, suiteId), Buffer.from(keyId, 'hex')]);
}

/** @throws DecryptionError for a value that is not an envelope of this version and a known suite */
export function parseHeader(envelope: Uint8Array): EnvelopeHeader {
  const suite = suiteNameOf(envelope[1] ?? 0);
  if (envelope.length < HEADER_BYTES || envelope[0] !== FORMAT_VERSION || suite === undefined) {
    throw new DecryptionError();
  }
  return { suite, keyId: asBuffer(envelope).toString('hex', KEY_ID_OFFSET, HEADER_BYTES) };
}

/**
 * The id of the key an envelope was made with, 16 lower-case hex characters. It is read, not
 * authenticated: it finds the key, and decryption then proves it.
 *
 * @throws DecryptionError for a value that is not an envelope
 */
export function keyIdOf(envelope: Uint8Array): string {
  return parseHeader(envelope).keyId;
}

/**
 * What the suite authenticates: the header and every entry of the context, encoded so that two
 * different contexts never give the same bytes. Runs once an operation, hence the single allocation.
 *
 * @param header of one fixed length for each kind of use
 * @throws TypeError for what is not text and for a lone surrogate: UTF-8 makes U+FFFD of every one
 */
export function boundContext(header: Uint8Array, context: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(context).toSorted();
  let maxLength = header.length + COUNT_BYTES;
  for (const name of names) {
    const value = context[name];
    if (typeof value !== 'string') throw notText(name);
    const codeUnits = name.length + value.length;
    maxLength += NAME_LENGTH_BYTES + VALUE_LENGTH_BYTES + codeUnits * MAX_UTF8_BYTES_PER_CODE_UNIT;
  }

  const bound = Buffer.allocUnsafe(maxLength);
  bound.set(header, 0);
  let offset = bound.writeUInt16BE(names.length, header.length);
  for (const name of names) {
    const nameLength = writeText(bound, name, offset + NAME_LENGTH_BYTES, name);
    if (nameLength > MAX_NAME_BYTES)
      throw new RangeError(`context entry name is ${nameLength} bytes, want 65535`);
    offset = bound.writeUInt16BE(nameLength, offset) + nameLength;
    const valueLength = writeText(bound, context[name] ?? '', offset + VALUE_LENGTH_BYTES, name);
    offset = bound.writeUInt32BE(valueLength, offset) + valueLength;
  }
  return bound.subarray(0, offset);
}

/**
 * UTF-8. Names and ids are ASCII and short: a loop over them takes half of what Buffer's own writer does.
 *
 * @returns the number of bytes
 */
function writeText(output: Buffer, text: string, start: number, name: string): number {
  for (let index = 0; index < text.length; index++) {
    const codeUnit = text.charCodeAt(index);
    if (codeUnit > MAX_ASCII) {
      if (!text.isWellFormed()) throw notText(name);
      return output.write(text, start);
    }
    output[start + index] = codeUnit;
  }
  return text.length;
}

function notText(name: string): TypeError {
  return new TypeError(`context entry ${JSON.stringify(name)} is not well-formed text`);
}

/** The same memory. Making a Buffer of a Buffer costs as much as reading the key id. */
function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
