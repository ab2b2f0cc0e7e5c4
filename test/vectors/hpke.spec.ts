import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { KEM_MLKEM768_X25519 } from 'hpke';
import { type KemName, sealingSuites } from '../../src/crypto/sealing-suites.js';
import { SealingKeyPair } from '../../src/crypto/sealing-key.js';

// The test vectors that RFC 9180 refers to (cfrg/draft-irtf-cfrg-hpke, test-vectors.json), mode 0, KEM 0x0020,
// KDF 0x0001, AEAD 0x0002, first encryption. The RFC itself prints no X25519 with AES-256-GCM.
const rfc9180 = {
  info: '4f6465206f6e2061204772656369616e2055726e',
  skRm: '497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d',
  pkRm: '430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c',
  enc: '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256',
  aad: '436f756e742d30',
  pt: '4265617574792069732074727574682c20747275746820626561757479',
  ct: 'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a',
};

// RFC 9180, A.1.1 (X25519): ikmR and pkRm. draft-ietf-hpke-pq, test vectors, KEM 0x647a with KDF 0x0001
// (panva/hpke, test/vectors-pq.json at commit 09a81d9): ikmR and SHA-256 of pkRm.
const derivations: readonly { kem: KemName; seed: string; publicKeyDigest: string }[] = [
  {
    kem: 'X25519',
    seed: '6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037',
    publicKeyDigest: hash(
      'sha256',
      Buffer.from('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d', 'hex'),
    ),
  },
  {
    kem: 'MLKEM768-X25519',
    seed: '0379761fa4f6869592b0d1f9a71eb92b122dc030a7a8858132109f6b1a4bbde4',
    publicKeyDigest: '120b60e0ae3c00c1c9def1c61aeb12de710bfa49646ae6f99a7e564b25ace493',
  },
];

describe('HPKE', () => {
  it('opens the first encryption of RFC 9180’s vector for X25519 and AES-256-GCM', async () => {
    const hpke = sealingSuites.X25519.hpke();
    const pair = {
      privateKey: await hpke.DeserializePrivateKey(bytes(rfc9180.skRm)),
      publicKey: await hpke.DeserializePublicKey(bytes(rfc9180.pkRm)),
    };
    const options = { info: bytes(rfc9180.info), aad: bytes(rfc9180.aad) };
    const plaintext = await hpke.Open(pair, bytes(rfc9180.enc), bytes(rfc9180.ct), options);
    expect(Buffer.from(plaintext).toString('hex')).toBe(rfc9180.pt);
  });

  it.each(derivations)(
    'derives the key pair of $kem from its seed',
    async ({ kem, seed, publicKeyDigest }) => {
      const parameters = { id: '0123456789abcdef', owner: 'ada', kem };
      const { publicKey } = await SealingKeyPair.import(parameters, bytes(seed));
      expect(hash('sha256', publicKey.bytes)).toBe(publicKeyDigest);
    },
  );

  it('has the KEM of the X-Wing draft: its ciphertext gives its shared secret', async () => {
    const vector: Readonly<Record<'seed' | 'pk' | 'ct' | 'ss', string>> = JSON.parse(
      readFileSync(join(import.meta.dirname, 'x-wing.json'), 'utf8'),
    );
    const kem = KEM_MLKEM768_X25519();
    const privateKey = await kem.DeserializePrivateKey(bytes(vector.seed), false);
    const publicKey = await kem.DeserializePublicKey(bytes(vector.pk));
    const secret = await kem.Decap(bytes(vector.ct), privateKey, publicKey);
    expect(Buffer.from(secret).toString('hex')).toBe(vector.ss);
  });

  it('has the lengths and the number of the registry in our table', () => {
    for (const { kemId, publicKeyBytes, encapsulatedBytes, hpke } of Object.values(sealingSuites)) {
      expect(hpke().KEM).toMatchObject({ id: kemId, Npk: publicKeyBytes, Nenc: encapsulatedBytes });
      expect([hpke().KDF.name, hpke().AEAD.name]).toEqual(['HKDF-SHA256', 'AES-256-GCM']);
    }
  });
});

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
