import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { InvalidSignatureError, signatureKeyIdOf, signMessage, verifySignature } from './signature.js';

const ID = '0123456789abcdef';
const MESSAGE = Buffer.from('head 7');
const { privateKey } = generateKeyPairSync('ed25519');
const signing = { id: ID, key: privateKey };
const verifying = { id: ID, key: createPublicKey(privateKey) };
const signature = signMessage(signing, MESSAGE, 'audit');

describe('a signature', () => {
  it('has version, algorithm, key id and 64 bytes over prefix, header, purpose and message', () => {
    const header = Buffer.from(`0101${ID}`, 'hex');
    const signed = Buffer.concat([
      Buffer.from('signature/v1\0'),
      header,
      Buffer.from('\0\x05audit'),
      MESSAGE,
    ]);
    expect(signature).toEqual(Buffer.concat([header, sign(null, signed, privateKey)]));
    expect(signatureKeyIdOf(signature)).toBe(ID);
  });

  it('verifies, also inside a larger buffer', () => {
    const inside = new Uint8Array(Buffer.concat([Buffer.alloc(3), signature])).subarray(3);
    expect(isValid(MESSAGE, inside, 'audit')).toBe(true);
  });

  it('is refused with any bit changed, cut at any length or with bytes added', () => {
    for (let bit = 0; bit < 8 * signature.length; bit++) {
      const changed = Buffer.from(signature);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(isValid(MESSAGE, changed, 'audit')).toBe(false);
    }
    for (let length = 0; length < signature.length; length++) {
      expect(isValid(MESSAGE, signature.subarray(0, length), 'audit')).toBe(false);
    }
    expect(isValid(MESSAGE, Buffer.concat([signature, Buffer.alloc(1)]), 'audit')).toBe(false);
  });

  it('is refused for another message, purpose or key', () => {
    expect(isValid(Buffer.from('head 8'), signature, 'audit')).toBe(false);
    expect(isValid(MESSAGE, signature, 'receipt')).toBe(false);
    expect(isValid(Buffer.from('thead 7'), signature, 'audi')).toBe(false);
    const other = { id: ID, key: generateKeyPairSync('ed25519').publicKey };
    expect(() => verifySignature(other, MESSAGE, signature, 'audit')).toThrow(InvalidSignatureError);
  });

  it('is not the bare Ed25519 signature of the message', () => {
    const bare = Buffer.concat([signature.subarray(0, 10), sign(null, MESSAGE, privateKey)]);
    expect(isValid(MESSAGE, bare, 'audit')).toBe(false);
  });

  it.each([
    ['ec', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ed448', generateKeyPairSync('ed448')],
  ])('is neither made nor verified with a key of type %s', (type, pair) => {
    expect(() => signMessage({ id: ID, key: pair.privateKey }, MESSAGE, 'audit')).toThrow(
      `key ${ID} is of type ${type}, want ed25519`,
    );
    const foreign = { id: ID, key: pair.publicKey };
    expect(() => verifySignature(foreign, MESSAGE, signature, 'audit')).toThrow(InvalidSignatureError);
  });

  it('can’t be made for a purpose or a key id that has no bytes', () => {
    expect(() => signMessage(signing, MESSAGE, '\ud800')).toThrow(TypeError);
    expect(() => signMessage(signing, MESSAGE, 'x'.repeat(65_536))).toThrow(TypeError);
    expect(() => signMessage({ ...signing, id: 'abc' }, MESSAGE, 'audit')).toThrow(TypeError);
  });
});

function isValid(message: Uint8Array, candidate: Uint8Array, purpose: string): boolean {
  try {
    verifySignature(verifying, message, candidate, purpose);
    return true;
  } catch (error) {
    if (error instanceof InvalidSignatureError) return false;
    throw error;
  }
}
