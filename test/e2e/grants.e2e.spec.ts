import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DecryptionError } from '../../src/crypto/errors.js';
import { recipientKeyIdOf } from '../../src/crypto/sealed-box.js';
import { SealingKeyPair } from '../../src/crypto/sealing-key.js';
import { type KemName } from '../../src/crypto/sealing-suites.js';
import { PublicKeysService } from '../../src/keys/public-keys.service.js';
import { GrantsRepository } from '../../src/secrets/grants.repository.js';
import { type Account, newAccount, PASSWORD, setDisabled } from '../support/accounts.js';
import { whileAuditFails } from '../support/audit-outage.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const NOBODY = '01900000-0000-7000-8000-000000000000';

describe('grants', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    let friend: Account;
    let stranger: Account;
    beforeAll(async () => {
      app = await newApp();
      [owner, friend, stranger] = await Promise.all([newAccount(app), newAccount(app), newAccount(app)]);
    });
    afterAll(() => app.close());

    async function put(name: string, v: string, more: object = {}): Promise<void> {
      const json = { data: { v }, ...more };
      await app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json });
    }

    function grant(name: string, body: object = {}): Promise<HttpsResponse> {
      return app.post(`/v1/secrets/${name}/grants`, { userId: friend.id, ...body }, owner.token);
    }

    function read(id: string, as: Account = friend): Promise<HttpsResponse> {
      return app.get(`/v1/grants/${id}`, as.token);
    }

    function revoke(name: string, id: string, as: Account = owner): Promise<HttpsResponse> {
      return app.request('DELETE', `/v1/secrets/${name}/grants/${id}`, { token: as.token });
    }

    async function granted(name: string, body: object = {}): Promise<string> {
      return (await grant(name, body)).string('id');
    }

    /** A recipient whose private half is in this test only. */
    async function newKeyHolder(kem: KemName) {
      const account = await newAccount(app);
      const seed = randomBytes(32);
      const parameters = { id: '0000000000000000', owner: account.id, kem };
      const { publicKey } = await SealingKeyPair.import(parameters, Buffer.from(seed));
      const json = { publicKey: publicKey.bytes.toString('base64url') };
      const { token } = account;
      expect((await app.request('PUT', '/v1/users/me/public-key', { token, json })).status).toBe(200);
      return { account, open: (answer: HttpsResponse) => open(answer, account.id, kem, seed) };
    }

    it('let another user read a secret, and nobody else', async () => {
      await put('told', 'one', { metadata: { team: 'a' }, expiresAt: app.clock.iso(3_600) });
      const createdAt = app.clock.iso();
      const response = await grant('told');
      const id = response.string('id');
      expect(response.status).toBe(201);
      expect(response.headers['location']).toBe(`/v1/secrets/told/grants/${id}`);
      const facts = { id, name: 'told', version: null, createdAt, expiresAt: null };
      expect(response.body).toEqual({ ...facts, userId: friend.id });
      expect((await read(id)).body).toEqual({
        id,
        ownerId: owner.id,
        name: 'told',
        version: 1,
        createdAt,
        expiresAt: app.clock.iso(3_600),
        data: { v: 'one' },
      });
      for (const other of [owner, stranger]) expectProblem(await read(id, other), 'ERR_GRANT_NOT_FOUND');
      expectProblem(await app.get('/v1/secrets/told', friend.token), 'ERR_SECRET_NOT_FOUND');
      expect((await app.get('/v1/grants', friend.token)).items).toContainEqual({
        ...facts,
        ownerId: owner.id,
      });
      expect((await app.get('/v1/grants', stranger.token)).items).toEqual([]);
      const given = await app.get('/v1/secrets/told/grants', owner.token);
      expect(given.items).toEqual([{ ...facts, userId: friend.id }]);
    });

    it('follow the latest version, or stay with the one they are for', async () => {
      await put('moving', 'one');
      const following = await granted('moving');
      const pinned = await granted('moving', { version: 1 });
      await put('moving', 'two');
      expect((await read(following)).members).toMatchObject({ version: 2, data: { v: 'two' } });
      expect((await read(pinned)).members).toMatchObject({ version: 1, data: { v: 'one' } });
    });

    it('end at once when they are revoked, for later versions too', async () => {
      await put('over', 'one');
      const id = await granted('over');
      expect((await read(id)).status).toBe(200);
      expectProblem(await revoke('over', id, friend), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await revoke('over', NOBODY), 'ERR_GRANT_NOT_FOUND');
      expect((await revoke('over', id)).status).toBe(204);
      expectProblem(await read(id), 'ERR_GRANT_NOT_FOUND');
      await put('over', 'two');
      expectProblem(await read(id), 'ERR_GRANT_NOT_FOUND');
      expectProblem(await revoke('over', id), 'ERR_GRANT_NOT_FOUND');
      expect((await app.get('/v1/secrets/over/grants', owner.token)).items).toEqual([]);
    });

    it('are revoked only under the secret that they are for', async () => {
      await put('this', 'one');
      await put('other', 'one');
      const id = await granted('this');
      expectProblem(await revoke('other', id), 'ERR_GRANT_NOT_FOUND');
      expect((await read(id)).status).toBe(200);
    });

    it('end at their time', async () => {
      await put('brief', 'one');
      const id = await granted('brief', { expiresAt: app.clock.iso(30) });
      app.clock.advance(29);
      expect((await read(id)).status).toBe(200);
      app.clock.advance(1);
      expectProblem(await read(id), 'ERR_GRANT_NOT_FOUND');
      const listed = (await app.get('/v1/grants', friend.token)).items.map((item) => item['id']);
      expect(listed).not.toContain(id);
    });

    it('give nothing that the owner can not read', async () => {
      await put('hidden', 'one');
      const id = await granted('hidden');
      await app.request('DELETE', '/v1/secrets/hidden', { token: owner.token });
      expect(expectProblem(await read(id), 'ERR_SECRET_GONE')['state']).toBe('deleted');
      await app.post('/v1/secrets/hidden/destroy', { versions: [1] }, owner.token);
      expect(expectProblem(await read(id), 'ERR_SECRET_GONE')['state']).toBe('destroyed');
    });

    it.each<KemName>(['MLKEM768-X25519', 'X25519'])(
      'are sealed to a recipient who has the private half of %s, who alone can open it',
      async (kem) => {
        const holder = await newKeyHolder(kem);
        const other = await newKeyHolder(kem);
        await put('sealed', 'for one pair of eyes');
        const id = await granted('sealed', { userId: holder.account.id });
        const answer = await read(id, holder.account);
        expect(answer.members).not.toHaveProperty('data');
        expect(answer.text).not.toContain('eyes');
        expect(answer.members).toMatchObject({
          kem,
          info: {
            purpose: 'share/v1',
            owner: owner.id,
            secret: 'sealed',
            version: String(answer.members['version']),
            recipient: holder.account.id,
          },
        });
        expect(await holder.open(answer)).toEqual({ v: 'for one pair of eyes' });
        await expect(other.open(answer)).rejects.toThrow(DecryptionError);
      },
    );

    it('are bound to the secret, version, owner and recipient that they name', async () => {
      const holder = await newKeyHolder('X25519');
      await put('bound', 'one');
      const answer = await read(await granted('bound', { userId: holder.account.id }), holder.account);
      const { info } = answer.members as { info: Record<string, string> };
      for (const name of Object.keys(info)) {
        const members = { ...answer.members, info: { ...info, [name]: `${info[name]}x` } };
        const altered = Object.assign(Object.create(answer) as HttpsResponse, {
          text: JSON.stringify(members),
        });
        await expect(holder.open(altered)).rejects.toThrow(DecryptionError);
      }
    });

    it('are given of secrets and to users that are there', async () => {
      await put('there', 'one');
      expectProblem(await grant('there', { userId: NOBODY }), 'ERR_RECIPIENT_NOT_FOUND');
      expectProblem(await grant('not.there'), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await grant('not.there', { userId: NOBODY }), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await grant('there', { version: 2 }), 'ERR_SECRET_NOT_FOUND');
      expectProblem(await app.get('/v1/secrets/not.there/grants', owner.token), 'ERR_SECRET_NOT_FOUND');
      const foreign = await app.post('/v1/secrets/there/grants', { userId: friend.id }, stranger.token);
      expectProblem(foreign, 'ERR_SECRET_NOT_FOUND');
    });

    it('are not given to who leaves at that moment: of 16 none is left', async () => {
      const names = Array.from({ length: 16 }, (_, index) => `late.${index}`);
      for (const name of names) await put(name, 'one');
      const other = await app.newInstance();
      try {
        for (let round = 0; round < 3; round++) {
          const leaving = await newAccount(app);
          const give = (name: string, index: number) =>
            (index % 2 ? app : other).post(`/v1/secrets/${name}/grants`, { userId: leaving.id }, owner.token);
          const racers = names.slice(0, 8).map(give);
          const json = { password: PASSWORD };
          const removal = app.request('DELETE', '/v1/users/me', { token: leaving.token, json });
          racers.push(...names.slice(8).map(give));
          const [removed, ...answers] = await Promise.all([removal, ...racers]);
          expect(removed.status).toBe(204);
          for (const answer of answers) {
            if (answer.status !== 201) expectProblem(answer, 'ERR_RECIPIENT_NOT_FOUND');
          }
          for (const name of names) {
            expect((await app.get(`/v1/secrets/${name}/grants`, owner.token)).items).toEqual([]);
          }
        }
      } finally {
        await other.close();
      }
    });

    it('are not given to whose account ends between the look at their key and the grant', async () => {
      await put('late', 'one');
      const leaving = await newAccount(app);
      const grants = app.nest.get(GrantsRepository, { strict: false });
      const insert = grants.insert.bind(grants);
      grants.insert = async (row) => {
        grants.insert = insert;
        // As a key that is found there until the account is gone.
        return insert({ ...row, recipient_id: NOBODY });
      };
      const publicKeys = app.nest.get(PublicKeysService, { strict: false });
      const has = publicKeys.has.bind(publicKeys);
      publicKeys.has = async (...args) => {
        publicKeys.has = async () => {
          publicKeys.has = has;
          return false;
        };
        return has(...args);
      };
      expectProblem(await grant('late', { userId: leaving.id }), 'ERR_RECIPIENT_NOT_FOUND');
      expect((await grant('late')).status).toBe(201);
    });

    it.each<[string, object, string]>([
      ['nobody', { userId: undefined }, '/userId'],
      ['a name', { userId: 'ada' }, '/userId'],
      ['version 0', { version: 0 }, '/version'],
      ['version -1', { version: -1 }, '/version'],
      ['version 2^53', { version: 2 ** 53 }, '/version'],
      ['a version as text', { version: '1' }, '/version'],
      ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
      ['an end without a zone', { expiresAt: '2040-01-01T00:00:00' }, '/expiresAt'],
      ['an unknown field', { write: true }, '/write'],
    ])('are not given for %s', async (_claim, body, pointer) => {
      await put('picky', 'one');
      expect(badFields(await grant('picky', body))).toEqual([pointer]);
    });

    it('are not given to oneself', async () => {
      await put('mine', 'one');
      expect(badFields(await grant('mine', { userId: owner.id }))).toEqual(['/userId']);
    });

    it('rest while the owner is disabled', async () => {
      await put('resting', 'x');
      const id = await granted('resting');
      const isListed = async () =>
        (await app.get('/v1/grants', friend.token)).items.some((item) => item['id'] === id);
      await setDisabled(app, owner.id, app.clock.nowMs());
      expectProblem(await read(id), 'ERR_GRANT_NOT_FOUND');
      expect(await isListed()).toBe(false);
      await setDisabled(app, owner.id, null);
      expect((await read(id)).status).toBe(200);
      expect(await isListed()).toBe(true);
    });

    it('end with the account of either', async () => {
      const [leaving, staying] = await Promise.all([newAccount(app), newAccount(app)]);
      const give = async (from: Account, to: Account) => {
        await app.request('PUT', '/v1/secrets/parting', { token: from.token, json: { data: {} } });
        const given = await app.post('/v1/secrets/parting/grants', { userId: to.id }, from.token);
        return given.string('id');
      };
      const [fromLeaving] = [await give(leaving, staying), await give(staying, leaving)];
      const json = { password: PASSWORD };
      await app.request('DELETE', '/v1/users/me', { token: leaving.token, json });
      expectProblem(await read(fromLeaving, staying), 'ERR_GRANT_NOT_FOUND');
      expect((await app.get('/v1/secrets/parting/grants', staying.token)).items).toEqual([]);
      const again = await app.post('/v1/secrets/parting/grants', { userId: leaving.id }, staying.token);
      expectProblem(again, 'ERR_RECIPIENT_NOT_FOUND');
    });

    it('are in the logs of both, and a read is in that of the owner', async () => {
      await put('logged', 'one');
      const id = await granted('logged');
      await read(id);
      await revoke('logged', id);
      const eventsOf = async ({ token }: Account) =>
        (await app.get('/v1/audit?limit=100', token)).items
          .filter(({ target }) => target === `grant:${id}` || target === 'secret:logged#1')
          .map(({ action, actor }) => [action, actor])
          .toReversed();
      const events = [
        ['grant.create', owner.id],
        ['grant.read', friend.id],
        ['grant.revoke', owner.id],
      ];
      expect(await eventsOf(owner)).toEqual([['secret.write', owner.id], ...events]);
      expect(await eventsOf(friend)).toEqual(events);
    });

    it('reveal nothing and change nothing while the audit log cannot be written', async () => {
      await put('kept', 'not to be seen');
      const id = await granted('kept');
      const refused = await whileAuditFails(app, async () => [
        await read(id),
        await grant('kept'),
        await revoke('kept', id),
      ]);
      for (const response of refused) {
        expectProblem(response, 'ERR_UNAVAILABLE');
        expect(response.text).not.toContain('not to be seen');
      }
      expect((await app.get('/v1/secrets/kept/grants', owner.token)).items).toMatchObject([{ id }]);
      expect((await read(id)).status).toBe(200);
    });
  });
});

/** What a client does with the answer and its seed. */
async function open(answer: HttpsResponse, owner: string, kem: KemName, seed: Uint8Array): Promise<unknown> {
  const { info } = answer.members as { info: { purpose: string } };
  const box = Buffer.from(answer.string('sealed'), 'base64url');
  const pair = await SealingKeyPair.import({ id: recipientKeyIdOf(box), owner, kem }, Buffer.from(seed));
  return JSON.parse((await pair.open(box, info)).toString('utf8')) as unknown;
}
