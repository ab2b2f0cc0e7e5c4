import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';

// RFC 8032, 7.1, tests 1 to 3.
const vectors = [
  {
    secretKey: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    secretKey: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    secretKey: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];
/** The order of the base point, little-endian. */
const ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');

describe('Ed25519', () => {
  it.each(vectors)('signs and verifies RFC 8032’s message "$message"', (vector) => {
    const { privateKey, publicKey } = keysOf(vector);
    const message = Buffer.from(vector.message, 'hex');
    expect(sign(null, message, privateKey).toString('hex')).toBe(vector.signature);
    expect(verify(null, message, publicKey, Buffer.from(vector.signature, 'hex'))).toBe(true);
  });

  it('refuses the second spelling of a signature, S + L (RFC 8032, 5.1.7)', () => {
    const { publicKey } = keysOf(vectors[1]!);
    const signature = Buffer.from(vectors[1]!.signature, 'hex');
    for (let index = 0, carry = 0; index < 32; index++) {
      const sum = signature[32 + index]! + ORDER[index]! + carry;
      signature[32 + index] = sum & 0xff;
      carry = sum >> 8;
    }
    expect(verify(null, Buffer.from(vectors[1]!.message, 'hex'), publicKey, signature)).toBe(false);
  });
});

function keysOf({ secretKey, publicKey }: { secretKey: string; publicKey: string }) {
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const d = Buffer.from(secretKey, 'hex').toString('base64url');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x };
  return {
    privateKey: createPrivateKey({ key: { ...jwk, d }, format: 'jwk' }),
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
  };
}
