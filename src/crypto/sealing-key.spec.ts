import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { DecryptionError } from './errors.js';
import { recipientKeyIdOf } from './sealed-box.js';
import { type SealingInfo, SealingKeyPair, SealingPublicKey } from './sealing-key.js';
import { InvalidPublicKeyError } from './sealing-suites.js';
import { type KemName, sealingSuites } from './sealing-suites.js';
import { randomKeyBytes, randomKeyId } from './symmetric-key.js';

const PLAINTEXT = Buffer.from('attack at dawn');
const info = { purpose: 'share/v1', secret: '7', version: '1', recipient: 'ada' };
const kems: readonly KemName[] = ['MLKEM768-X25519', 'X25519'];
const overheadBytes: Readonly<Record<KemName, number>> = { 'MLKEM768-X25519': 1147, X25519: 59 };

// The X25519 points of low order that https://cr.yp.to/ecdh.html#validate lists, below 2^255.
const lowOrderPoints = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

describe.each(kems)('a %s key pair', (kem) => {
  it('opens what was sealed to its public key, of any length', async () => {
    const pair = await newPair(kem);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (plaintext) => {
        const box = await pair.publicKey.seal(plaintext, info);
        expect(box).toHaveLength(plaintext.length + overheadBytes[kem]);
        expect((await pair.open(box, info)).equals(plaintext)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('is the same when made of the same seed again, and of its imported public key', async () => {
    const seed = randomKeyBytes();
    const parameters = { id: randomKeyId(), owner: 'ada', kem };
    const first = await SealingKeyPair.import(parameters, Buffer.from(seed));
    const second = await SealingKeyPair.import(parameters, seed);
    const published = await SealingPublicKey.import(parameters, first.publicKey.bytes);
    expect(await second.open(await published.seal(PLAINTEXT, info), info)).toEqual(PLAINTEXT);
  });

  it('refuses a box with any byte changed, cut at any length or with a byte added', async () => {
    const pair = await newPair(kem);
    const box = await pair.publicKey.seal(PLAINTEXT, info);
    // Every byte in front and behind, some of those in the long encapsulated secret between.
    const step = kem === 'X25519' ? 1 : 37;
    const positions = Array.from(box.keys()).filter(
      (at) => at < 60 || at > box.length - 40 || at % step === 0,
    );
    for (const at of positions) {
      const changed = Buffer.from(box);
      changed[at]! ^= 0x81;
      expect(await isRefused(pair, changed, info)).toBe(true);
      expect(await isRefused(pair, box.subarray(0, at), info)).toBe(true);
    }
    expect(await isRefused(pair, Buffer.concat([box, Buffer.alloc(1)]), info)).toBe(true);
  });

  it.each(Object.keys(info))('refuses another info entry and a missing one: %s', async (entry) => {
    const pair = await newPair(kem);
    const box = await pair.publicKey.seal(PLAINTEXT, info);
    const { [entry]: _dropped, ...rest } = info as SealingInfo;
    expect(await isRefused(pair, box, { ...info, [entry]: 'x' })).toBe(true);
    expect(await isRefused(pair, box, { purpose: '', ...rest })).toBe(true);
  });

  it('refuses a box to another key, even one with the same id', async () => {
    const pair = await newPair(kem);
    const other = await newPair(kem, pair.publicKey.id);
    expect(await isRefused(other, await pair.publicKey.seal(PLAINTEXT, info), info)).toBe(true);
  });

  it('refuses an encapsulated secret whose X25519 point is of low order', async () => {
    const pair = await newPair(kem);
    const box = await pair.publicKey.seal(PLAINTEXT, info);
    for (const point of lowOrderPoints) {
      box.write(point, 11 + sealingSuites[kem].encapsulatedBytes - 32, 'hex');
      expect(await isRefused(pair, box, info)).toBe(true);
    }
  });

  it('takes the seed over and shows no byte of it', async () => {
    const seed = Buffer.alloc(32, 0x6b);
    const pair = await SealingKeyPair.import({ id: randomKeyId(), owner: 'ada', kem }, seed);
    expect(seed).toEqual(Buffer.alloc(32));
    expect(inspect(pair, { showHidden: true, depth: 2 })).not.toMatch(/6b 6b 6b|kkk|107, 107, 107/);
    expect(Object.keys(pair)).toEqual(['publicKey']);
  });

  it.each([0, 31, 33, 64])('refuses a seed of %i bytes and still fills it with zeros', async (length) => {
    const seed = Buffer.alloc(length, 1);
    const parameters = { id: '0123456789abcdef', owner: 'ada', kem };
    await expect(SealingKeyPair.import(parameters, seed)).rejects.toThrow(
      `seed 0123456789abcdef is ${length} bytes, want 32`,
    );
    expect(seed).toEqual(Buffer.alloc(length));
  });
});

describe.each(kems)('a %s public key', (kem) => {
  const parameters = { id: '0123456789abcdef', owner: 'ada', kem };
  const length = sealingSuites[kem].publicKeyBytes;

  it.each([0, 1, 31, 33, 1184, 1215, 1217].filter((bytes) => bytes !== length))(
    'of %i bytes is refused',
    async (bytes) => {
      await expect(SealingPublicKey.import(parameters, Buffer.alloc(bytes, 9))).rejects.toThrow(
        new InvalidPublicKeyError(`public key of ${kem} is ${bytes} bytes, want ${length}`),
      );
    },
  );

  it.each(lowOrderPoints)('with the X25519 point %s is refused', async (point) => {
    const { publicKey } = await newPair(kem);
    const forged = Buffer.from(publicKey.bytes);
    forged.write(point, length - 32, 'hex');
    await expect(SealingPublicKey.import(parameters, forged)).rejects.toThrow(InvalidPublicKeyError);
    forged.writeUInt8(forged.readUInt8(length - 1) | 0x80, length - 1);
    await expect(SealingPublicKey.import(parameters, forged)).rejects.toThrow(InvalidPublicKeyError);
  });
});

describe('a public key of MLKEM768-X25519', () => {
  it('with coefficients beyond the modulus is refused', async () => {
    const { publicKey } = await newPair('MLKEM768-X25519');
    const forged = Buffer.from(publicKey.bytes).fill(0xff, 0, 3);
    await expect(SealingPublicKey.import(publicKey, forged)).rejects.toThrow(InvalidPublicKeyError);
  });
});

describe('recipientKeyIdOf', () => {
  it('reads the key id and refuses what is not a box', async () => {
    const { publicKey } = await newPair('X25519');
    const box = await publicKey.seal(PLAINTEXT, info);
    expect(recipientKeyIdOf(box)).toBe(publicKey.id);
    const relabelled = Buffer.from(box).fill(0x21, 2, 3);
    for (const other of [Buffer.alloc(0), box.subarray(0, 10), Buffer.alloc(100, 'plain'), relabelled]) {
      expect(() => recipientKeyIdOf(other)).toThrow(DecryptionError);
    }
  });
});

function newPair(kem: KemName, id = randomKeyId()): Promise<SealingKeyPair> {
  return SealingKeyPair.import({ id, owner: 'ada', kem }, randomKeyBytes());
}

async function isRefused(pair: SealingKeyPair, box: Uint8Array, other: SealingInfo): Promise<boolean> {
  return pair.open(box, other).then(
    () => false,
    (error: unknown) => error instanceof DecryptionError,
  );
}
