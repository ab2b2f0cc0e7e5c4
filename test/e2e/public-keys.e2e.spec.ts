import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CipherSuite, AEAD_AES_256_GCM, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { PublicKeysService } from '../../src/keys/public-keys.service.js';
import { newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { badFields, expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const INFO = { purpose: 'test/v1' };

describe('public keys', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    const put = (token: string, publicKey: unknown) =>
      app.request('PUT', '/v1/users/me/public-key', { token, json: { publicKey } });

    it('are kept for every user by the server: what is sealed to it, the server opens for them', async () => {
      const [owner, reader] = await Promise.all([newAccount(app), newAccount(app)]);
      const response = await app.get(`/v1/users/${owner.id}/public-key`, reader.token);
      expect(response.body).toEqual({
        kem: 'MLKEM768-X25519',
        publicKey: expect.stringMatching(/^[\w-]{1622}$/),
        holder: 'server',
      });
      expect((await app.get(`/v1/users/${owner.id}/public-key`, owner.token)).body).toEqual(response.body);
      const found = await app.nest.get(PublicKeysService, { strict: false }).find(owner.id);
      const crypto = app.nest.get(CryptoService, { strict: false });
      const box = await crypto.seal(found!.publicKey, Buffer.from('sealed'), INFO);
      expect((await crypto.open(box, owner.id, INFO)).toString()).toBe('sealed');
    });

    it('may be registered by a user who alone has the private half, on every instance at once', async () => {
      const { id, token } = await newAccount(app);
      const before = await app.get(`/v1/users/${id}/public-key`, token);
      const hpke = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
      const pair = await hpke.GenerateKeyPair(true);
      const publicKey = Buffer.from(await hpke.SerializePublicKey(pair.publicKey)).toString('base64url');
      const expected = { kem: 'MLKEM768-X25519', publicKey, holder: 'client' };
      expect((await put(token, publicKey)).body).toEqual(expected);
      const other = await app.newInstance();
      expect((await other.get(`/v1/users/${id}/public-key`, token)).body).toEqual(expected);
      await other.close();
      expect(before.members['publicKey']).not.toBe(publicKey);

      const found = await app.nest.get(PublicKeysService, { strict: false }).find(id);
      const crypto = app.nest.get(CryptoService, { strict: false });
      const box = await crypto.seal(found!.publicKey, Buffer.from('sealed'), INFO);
      await expect(crypto.open(box, id, INFO)).rejects.toThrow('cannot be decrypted');
    });

    it('are not registered by a session that has ended on another instance', async () => {
      const { id, token } = await newAccount(app);
      const other = await app.newInstance();
      expect((await other.get('/v1/users/me', token)).status).toBe(200);
      const { publicKey: before } = (await app.get(`/v1/users/${id}/public-key`, token)).members;
      await app.request('POST', '/v1/auth/logout', { token });
      const publicKey = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x;
      const json = { publicKey };
      expectProblem(
        await other.request('PUT', '/v1/users/me/public-key', { token, json }),
        'ERR_UNAUTHENTICATED',
      );
      const reader = await newAccount(app);
      expect((await other.get(`/v1/users/${id}/public-key`, reader.token)).members['publicKey']).toBe(before);
      await other.close();
    });

    it.each([
      ['kind', { kem: 'RSA' }],
      ['id', { key_id: 'nobody' }],
      ['bytes', { public_key: Buffer.alloc(32) }],
      ['length', { public_key: Buffer.alloc(31) }],
    ])(
      'are a fault that names the key when somebody changed the %s in the database',
      async (_what, changes) => {
        const { id, token } = await newAccount(app);
        await put(token, newX25519Key());
        const { key_id: keyId } = await databaseOf(app)
          .query.updateTable('public_keys')
          .set(changes)
          .where('owner_id', '=', id)
          .returning('key_id')
          .executeTakeFirstOrThrow();
        const found = app.nest.get(PublicKeysService, { strict: false }).find(id);
        await expect(found).rejects.toThrow(`public key ${keyId} of owner ${id} was changed`);
        expectProblem(await app.get(`/v1/users/${id}/public-key`, token), 'ERR_INTERNAL');
      },
    );

    it('are replaced by the next one, of either kind', async () => {
      const { id, token } = await newAccount(app);
      for (const publicKey of [newX25519Key(), newX25519Key()]) {
        expect((await put(token, publicKey)).status).toBe(200);
        const { body } = await app.get(`/v1/users/${id}/public-key`, token);
        expect(body).toEqual({ kem: 'X25519', publicKey, holder: 'client' });
      }
    });

    it('leave an audit event when they are registered', async () => {
      const { token } = await newAccount(app);
      await put(token, newX25519Key());
      const { items } = await app.get('/v1/audit?action=user.public-key', token);
      expect(items).toEqual([expect.objectContaining({ outcome: 'success' })]);
      expect(String(items[0]?.['target'])).toMatch(/^public-key:[0-9a-f]{16}$/);
    });

    it('are taken in base64 too and given in base64url', async () => {
      const { token } = await newAccount(app);
      const publicKey = newX25519Key();
      const response = await put(token, Buffer.from(publicKey, 'base64url').toString('base64'));
      expect(response.string('publicKey')).toBe(publicKey);
    });

    it('of another length, of low order and out of range are refused, and the one before stays', async () => {
      const { id, token } = await newAccount(app);
      const before = await app.get(`/v1/users/${id}/public-key`, token);
      const lowOrder = Buffer.alloc(32);
      lowOrder[0] = 1;
      const hybridOfLowOrder = Buffer.from(before.string('publicKey'), 'base64url');
      hybridOfLowOrder.fill(0, 1_184);
      for (const publicKey of [
        bytes(31, 7),
        bytes(33, 7),
        bytes(1_215, 7),
        bytes(1_217, 7),
        bytes(32, 0),
        lowOrder.toString('base64url'),
        bytes(1_216, 0xff),
        hybridOfLowOrder.toString('base64url'),
        '',
        'not base64!',
        'A'.repeat(5_000),
        7,
        null,
      ]) {
        expect(badFields(await put(token, publicKey))).toEqual(['/publicKey']);
      }
      expect((await app.get(`/v1/users/${id}/public-key`, token)).body).toEqual(before.body);
    });

    it('need a login of the last five minutes to be changed, also after a refresh', async () => {
      const { token, refreshToken } = await newAccount(app);
      app.clock.advance(295);
      const { members } = await app.post('/v1/auth/refresh', { refreshToken });
      app.clock.advance(5);
      expect((await put(String(members['accessToken']), newX25519Key())).status).toBe(200);
      app.clock.advance(1);
      expectProblem(await put(String(members['accessToken']), newX25519Key()), 'ERR_STEP_UP_REQUIRED');
      expectProblem(await put(token, newX25519Key()), 'ERR_STEP_UP_REQUIRED');
    });
  });
});

function newX25519Key(): string {
  return String(generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x);
}

function bytes(length: number, fill: number): string {
  return Buffer.alloc(length, fill).toString('base64url');
}
