import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ShareSweeper } from '../../src/shares/share-sweeper.js';
import { type Account, newAccount, PASSWORD, setDisabled, signIn } from '../support/accounts.js';
import { whileAuditFails } from '../support/audit-outage.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { databaseOf } from '../support/retired-keys.js';
import { type TestApp } from '../support/test-app.js';

const CALLERS = 200;
const PASSPHRASE = 'told on the telephone';
const DAY_SECONDS = 86_400;
const data = { password: 'opén sesame 🔑' };

describe('one-time shares', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    async function create(body: object = {}): Promise<{ id: string; token: string }> {
      const created = await app.post('/v1/shares', { data, ...body }, owner.token);
      expect(created.status).toBe(201);
      return { id: created.string('id'), token: created.string('token') };
    }

    function reveal(id: string, body: unknown, from: TestApp = app): Promise<HttpsResponse> {
      return from.post(`/v1/shares/${id}/reveal`, body);
    }

    function show(id: string): Promise<HttpsResponse> {
      return app.get(`/v1/shares/${id}`);
    }

    async function receiptOf(id: string): Promise<unknown> {
      return (await app.get('/v1/shares?limit=100', owner.token)).items.find((share) => share['id'] === id);
    }

    function rowOf(id: string) {
      return databaseOf(app)
        .query.selectFrom('shares')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
    }

    async function isKeyDestroyed(id: string): Promise<boolean> {
      const key = await databaseOf(app)
        .query.selectFrom('keys')
        .select(['state', 'wrapped'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return key.state === 'DESTROYED' && key.wrapped === null;
    }

    it('are made with a token, a link that holds it behind the #, and a week to live', async () => {
      const created = await app.post('/v1/shares', { data }, owner.token);
      const { id, token } = { id: created.string('id'), token: created.string('token') };
      expect(created.headers['location']).toBe(`/v1/shares/${id}`);
      expect(created.body).toEqual({
        id,
        token: expect.stringMatching(/^share_[\w-]{49}$/),
        url: `https://issuer.example.test/s/${id}#${token}`,
        views: 1,
        expiresAt: app.clock.iso(7 * DAY_SECONDS),
      });
    });

    it('are revealed once, without an account, and then gone with their data key', async () => {
      const { id, token } = await create();
      const before = await rowOf(id);
      const revealed = await reveal(id, { token });
      expect(revealed.status).toBe(200);
      expect(revealed.headers['cache-control']).toBe('no-store');
      expect(revealed.body).toEqual({ data, viewsLeft: 0 });
      expectProblem(await reveal(id, { token }), 'ERR_SHARE_NOT_FOUND');
      expectProblem(await show(id), 'ERR_SHARE_NOT_FOUND');
      const after = await rowOf(id);
      expect(after).toMatchObject({ key_id: '', views_left: 0 });
      expect(after.ciphertext).toHaveLength(0);
      expect(await isKeyDestroyed(before.key_id)).toBe(true);
    });

    it('are not used up by looking at them', async () => {
      const { id, token } = await create({ views: 2 });
      const expected = {
        id,
        viewsLeft: 2,
        expiresAt: app.clock.iso(7 * DAY_SECONDS),
        needsPassphrase: false,
      };
      for (let look = 0; look < 5; look++) expect((await show(id)).body).toEqual(expected);
      expect((await app.request('HEAD', `/v1/shares/${id}`)).status).toBe(200);
      expect((await reveal(id, { token })).members['viewsLeft']).toBe(1);
      expect((await show(id)).members['viewsLeft']).toBe(1);
    });

    it(`are revealed to exactly as many of ${CALLERS} racing callers as there are views`, async () => {
      const { id, token } = await create({ views: 3 });
      const responses = await Promise.all(Array.from({ length: CALLERS }, () => reveal(id, { token })));
      const winners = responses.filter(({ status }) => status === 200);
      expect(new Set(winners.map(({ members }) => members['viewsLeft']))).toEqual(new Set([0, 1, 2]));
      expect(winners).toHaveLength(3);
      for (const winner of winners) expect(winner.members['data']).toEqual(data);
      const losers = responses.filter(({ status }) => status !== 200);
      expect(losers).toHaveLength(CALLERS - 3);
      for (const loser of losers) expectProblem(loser, 'ERR_SHARE_NOT_FOUND');
      expect(await receiptOf(id)).toMatchObject({ state: 'used', viewsLeft: 0, revealedAt: { length: 3 } });
    });

    it('are revealed to exactly as many that race on two instances', async () => {
      const { id, token } = await create({ views: 3 });
      const other = await app.newInstance();
      const responses = await Promise.all(
        Array.from({ length: 64 }, (_, index) => reveal(id, { token }, index % 2 === 0 ? app : other)),
      );
      await other.close();
      expect(responses.filter(({ status }) => status === 200)).toHaveLength(3);
      expect(responses.filter(({ status }) => status === 404)).toHaveLength(61);
    });

    it('answer alike whether unknown, used up, expired, deleted or asked with a wrong token or passphrase', async () => {
      const used = await create();
      await reveal(used.id, { token: used.token });
      const expired = await create({ expiresAt: app.clock.iso(10) });
      app.clock.advance(10);
      const deleted = await create();
      await app.request('DELETE', `/v1/shares/${deleted.id}`, { token: owner.token });
      const live = await create({ passphrase: PASSPHRASE });
      const unknownId = '01900000-0000-7000-8000-000000000000';
      const answers = [
        await reveal(unknownId, { token: live.token }),
        await reveal('no-id-at-all', { token: live.token }),
        await reveal('%00', { token: live.token }),
        await reveal(used.id, { token: used.token }),
        await reveal(expired.id, { token: expired.token }),
        await reveal(deleted.id, { token: deleted.token }),
        await reveal(live.id, { token: used.token, passphrase: PASSPHRASE }),
        await reveal(live.id, { token: 'x', passphrase: PASSPHRASE }),
        await reveal(live.id, { token: '' }),
        await reveal(live.id, { token: live.token }),
        await reveal(live.id, { token: live.token, passphrase: 'wrong' }),
        await reveal(live.id, { token: live.token, passphrase: '' }),
      ];
      const [first] = answers;
      expectProblem(first!, 'ERR_SHARE_NOT_FOUND');
      for (const answer of answers) expect(appearance(answer)).toEqual(appearance(first!));
      for (const { id } of [used, expired, deleted, { id: unknownId }, { id: 'no-id-at-all' }]) {
        expectProblem(await show(id), 'ERR_SHARE_NOT_FOUND');
      }
      expect((await reveal(live.id, { token: live.token, passphrase: PASSPHRASE })).status).toBe(200);
    });

    it('with a passphrase say so, and are revealed to nobody who lacks it', async () => {
      const { id, token } = await create({ passphrase: PASSPHRASE });
      expect((await show(id)).members['needsPassphrase']).toBe(true);
      expectProblem(await reveal(id, { token }), 'ERR_SHARE_NOT_FOUND');
      expect((await reveal(id, { token, passphrase: PASSPHRASE })).body).toEqual({ data, viewsLeft: 0 });
    });

    it('slow down who guesses at a passphrase, share by share', async () => {
      const { id, token } = await create({ passphrase: PASSPHRASE });
      const other = await create({ passphrase: PASSPHRASE });
      for (let guess = 0; guess < 5; guess++) await reveal(id, { token, passphrase: `guess ${guess}` });
      expectProblem(await reveal(id, { token, passphrase: PASSPHRASE }), 'ERR_SHARE_NOT_FOUND');
      const untouched = await reveal(other.id, { token: other.token, passphrase: PASSPHRASE });
      expect(untouched.status).toBe(200);
      app.clock.advance(1);
      expect((await reveal(id, { token, passphrase: PASSPHRASE })).status).toBe(200);
    });

    it('tell their owner when and how often they were revealed', async () => {
      const { id, token } = await create({ views: 3, passphrase: PASSPHRASE });
      const createdAt = app.clock.iso();
      const expiresAt = app.clock.iso(7 * DAY_SECONDS);
      const times: string[] = [];
      for (let view = 0; view < 2; view++) {
        app.clock.advance(60);
        times.push(app.clock.iso());
        await reveal(id, { token, passphrase: PASSPHRASE });
      }
      const share = { id, views: 3, viewsLeft: 1, createdAt, expiresAt, needsPassphrase: true };
      expect(await receiptOf(id)).toEqual({ ...share, state: 'active', revealedAt: times });
    });

    it('are listed newest first, to their owner only', async () => {
      const account = await newAccount(app);
      const ids: string[] = [];
      for (let made = 0; made < 3; made++) {
        app.clock.advance(1);
        ids.unshift((await app.post('/v1/shares', { data }, account.token)).string('id'));
      }
      const page = await app.get('/v1/shares?limit=2', account.token);
      const next = await app.get(`/v1/shares?limit=2&cursor=${page.string('nextCursor')}`, account.token);
      expect([...page.items, ...next.items].map(({ id }) => id)).toEqual(ids);
      expect(next.members['nextCursor']).toBeNull();
      expect(page.text + next.text).not.toMatch(/token|digest|sesame/);
    });

    it('are deleted by their owner only, with their data key', async () => {
      const { id, token } = await create();
      const { key_id: keyId } = await rowOf(id);
      const stranger = await newAccount(app);
      expectProblem(
        await app.request('DELETE', `/v1/shares/${id}`, { token: stranger.token }),
        'ERR_SHARE_NOT_FOUND',
      );
      expect((await app.request('DELETE', `/v1/shares/${id}`, { token: owner.token })).status).toBe(204);
      expect(await isKeyDestroyed(keyId)).toBe(true);
      expectProblem(await reveal(id, { token }), 'ERR_SHARE_NOT_FOUND');
      expect(await receiptOf(id)).toBeUndefined();
    });

    it('lose their data key when they expire, and their receipt a month later', async () => {
      const { id, token } = await create({ views: 2, expiresAt: app.clock.iso(100) });
      const used = await create({ expiresAt: app.clock.iso(100) });
      await reveal(used.id, { token: used.token });
      const { key_id: keyId } = await rowOf(id);
      await reveal(id, { token });
      app.clock.advance(100);
      expectProblem(await reveal(id, { token }), 'ERR_SHARE_NOT_FOUND');
      await app.nest.get(ShareSweeper).sweep();
      expect(await isKeyDestroyed(keyId)).toBe(true);
      expect(await rowOf(id)).toMatchObject({ key_id: '', views_left: 1 });
      expect(await receiptOf(id)).toMatchObject({ state: 'expired', revealedAt: { length: 1 } });
      expect(await receiptOf(used.id)).toMatchObject({ state: 'used' });
      app.clock.advance(30 * DAY_SECONDS + 1);
      owner = { ...owner, ...(await signIn(app, owner.email)) };
      await app.nest.get(ShareSweeper).sweep();
      expect(await receiptOf(id)).toBeUndefined();
      expect(await receiptOf(used.id)).toBeUndefined();
    });

    it('rest while their owner is disabled', async () => {
      const { id, token } = await create({ views: 2 });
      await setDisabled(app, owner.id, app.clock.nowMs());
      for (const refused of [await show(id), await reveal(id, { token })])
        expectProblem(refused, 'ERR_SHARE_NOT_FOUND');
      await setDisabled(app, owner.id, null);
      expect((await reveal(id, { token })).members['viewsLeft']).toBe(1);
    });

    it('are gone with the account of their owner', async () => {
      const account = await newAccount(app);
      const created = await app.post('/v1/shares', { data }, account.token);
      const [id, token] = [created.string('id'), created.string('token')];
      const { key_id: keyId } = await rowOf(id);
      const json = { password: PASSWORD };
      const deleted = await app.request('DELETE', '/v1/users/me', { token: account.token, json });
      expect(deleted.status).toBe(204);
      expectProblem(await reveal(id, { token }), 'ERR_SHARE_NOT_FOUND');
      expect(await isKeyDestroyed(keyId)).toBe(true);
    });

    it('are in the log of their owner, who learns not from where they were revealed', async () => {
      const { id, token } = await create({ passphrase: PASSPHRASE });
      await reveal(id, { token, passphrase: 'wrong' });
      await reveal(id, { token, passphrase: PASSPHRASE });
      const deleted = await create();
      await app.request('DELETE', `/v1/shares/${deleted.id}`, { token: owner.token });
      const { items } = await app.get('/v1/audit?limit=100', owner.token);
      const ofShare = (shareId: string) =>
        items
          .filter(({ target }) => target === `share:${shareId}`)
          .map(({ action, actor, outcome, ip }) => [action, actor, outcome, ip])
          .toReversed();
      expect(ofShare(id)).toEqual([
        ['share.create', owner.id, 'success', '127.0.0.1'],
        ['share.reveal', null, 'failure', null],
        ['share.reveal', null, 'success', null],
      ]);
      expect(ofShare(deleted.id)).toEqual([
        ['share.create', owner.id, 'success', '127.0.0.1'],
        ['share.delete', owner.id, 'success', '127.0.0.1'],
      ]);
    });

    it('are not revealed, and not used up, while the audit log cannot be written', async () => {
      const { id, token } = await create();
      const refused = await whileAuditFails(app, () => reveal(id, { token }));
      expectProblem(refused, 'ERR_UNAVAILABLE');
      expect(refused.text).not.toContain('sesame');
      expect((await reveal(id, { token })).body).toEqual({ data, viewsLeft: 0 });
    });

    it.each<[string, object, string]>([
      ['no data', { data: undefined }, '/data'],
      ['data that is text', { data: 'x' }, '/data'],
      ['a value that is no text', { data: { a: 1 } }, '/data/a'],
      ['no views', { views: 0 }, '/views'],
      ['a negative number of views', { views: -1 }, '/views'],
      ['101 views', { views: 101 }, '/views'],
      ['half a view', { views: 1.5 }, '/views'],
      ['views as text', { views: '1' }, '/views'],
      ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
      ['an end in years', { expiresAt: '2040-01-01T00:00:00Z' }, '/expiresAt'],
      ['an end without a zone', { expiresAt: '2031-05-07T00:00:00' }, '/expiresAt'],
      ['an end in weeks', { expiresAt: '2031-W20-1T00:00:00Z' }, '/expiresAt'],
      ['an empty passphrase', { passphrase: '' }, '/passphrase'],
      ['a passphrase that is null', { passphrase: null }, '/passphrase'],
      ['an unknown field', { ttl: 60 }, '/ttl'],
    ])('are not made of %s', async (_claim, body, pointer) => {
      expect(badFields(await app.post('/v1/shares', { data, ...body }, owner.token))).toEqual([pointer]);
    });

    it.each<[unknown, string]>([
      [{}, '/token'],
      [{ token: 1 }, '/token'],
      [{ token: 'x'.repeat(201) }, '/token'],
      [{ token: 'x', passphrase: 1 }, '/passphrase'],
      [{ token: 'x', id: 'y' }, '/id'],
    ])('are not revealed to %j', async (body, pointer) => {
      const { id } = await create();
      expect(badFields(await reveal(id, body))).toEqual([pointer]);
    });
  });
});

/** What a caller can tell from an answer. */
function appearance({ status, headers, members }: HttpsResponse): unknown {
  const { date: _date, 'x-request-id': _id, ...rest } = headers;
  return { status, headers: rest, body: { ...members, instance: '' } };
}
