import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const UPDATERS = 32;

describe('contacts', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
    });
    afterAll(() => app.close());

    function create(json: unknown, token = owner.token): Promise<HttpsResponse> {
      return app.post('/v1/contacts', json, token);
    }

    async function newId(json: unknown = { name: 'Ada' }): Promise<string> {
      return (await create(json)).string('id');
    }

    function patch(id: string, json: unknown, ifMatch?: string, token = owner.token): Promise<HttpsResponse> {
      const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
      return app.request('PATCH', `/v1/contacts/${id}`, { token, json, headers });
    }

    function remove(id: string, ifMatch?: string, token = owner.token): Promise<HttpsResponse> {
      const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
      return app.request('DELETE', `/v1/contacts/${id}`, { token, headers });
    }

    it('are made with a place and a tag, and read back the same', async () => {
      const details = {
        name: 'Ada Lövelace 🧮',
        email: 'ada@example.com',
        phone: '+44 20',
        note: 'line\nline',
      };
      const created = await create(details);
      const id = created.string('id');
      const now = app.clock.iso();
      const contact = { id, ...details, createdAt: now, updatedAt: now, version: 1 };
      expect(created.status).toBe(201);
      expect(created.headers).toMatchObject({ etag: '"1"', location: `/v1/contacts/${id}` });
      expect(created.body).toEqual(contact);
      const read = await app.get(`/v1/contacts/${id}`, owner.token);
      expect(read.headers['etag']).toBe('"1"');
      expect(read.body).toEqual(contact);
    });

    it('need a name only and leave out what was not given', async () => {
      const created = await create({ name: 'Grace' });
      expect(Object.keys(created.members).toSorted()).toEqual([
        'createdAt',
        'id',
        'name',
        'updatedAt',
        'version',
      ]);
    });

    it('change by merge patch: what is absent stays, what is null goes', async () => {
      const created = await create({ name: 'Ada', email: 'ada@example.com', phone: '1', note: 'x' });
      const { phone, ...kept } = created.members;
      const id = created.string('id');
      app.clock.advance(60);
      const patched = await patch(id, { note: 'y', phone: null }, created.headers.etag);
      expect(patched.status).toBe(200);
      expect(patched.headers['etag']).toBe('"2"');
      expect(phone).toBe('1');
      expect(patched.body).toEqual({ ...kept, note: 'y', version: 2, updatedAt: app.clock.iso() });
      expect((await app.get(`/v1/contacts/${id}`, owner.token)).body).toEqual(patched.body);
      const withoutEmail = await patch(id, { email: null }, '"2"');
      expect(withoutEmail.members).not.toHaveProperty('email');
      expect((await app.get('/v1/contacts?email=ada@example.com', owner.token)).items).not.toContainEqual(
        expect.objectContaining({ id }),
      );
    });

    it('keep their name: null and an empty one are refused', async () => {
      const id = await newId();
      for (const name of [null, '', 7])
        expect(badFields(await patch(id, { name }, '"1"'))).toEqual(['/name']);
    });

    it('change only under If-Match with the current tag', async () => {
      const id = await newId();
      expectProblem(await patch(id, { note: 'x' }), 'ERR_PRECONDITION_REQUIRED');
      for (const stale of ['"0"', '"2"', 'W/"1"', '1', 'x', '']) {
        expectProblem(await patch(id, { note: 'x' }, stale), 'ERR_PRECONDITION_FAILED');
      }
      expect((await patch(id, { note: 'x' }, '"1"')).status).toBe(200);
      expectProblem(await patch(id, { note: 'y' }, '"1"'), 'ERR_PRECONDITION_FAILED');
      expect((await patch(id, { note: 'z' }, '*')).members['version']).toBe(3);
    });

    it('are read under If-Match only at that version', async () => {
      const id = await newId();
      const get = (ifMatch: string) =>
        app.request('GET', `/v1/contacts/${id}`, { token: owner.token, headers: { 'if-match': ifMatch } });
      for (const known of ['"1"', '"7", "1"', '*']) expect((await get(known)).status).toBe(200);
      for (const stale of ['"2"', 'W/"1"', 'x']) expectProblem(await get(stale), 'ERR_PRECONDITION_FAILED');
    });

    it('are deleted for good, under If-Match only at that version', async () => {
      const id = await newId();
      expectProblem(await remove(id, '"2"'), 'ERR_PRECONDITION_FAILED');
      const response = await remove(id, '"1"');
      expect({ status: response.status, text: response.text }).toEqual({ status: 204, text: '' });
      expectProblem(await app.get(`/v1/contacts/${id}`, owner.token), 'ERR_CONTACT_NOT_FOUND');
      expectProblem(await remove(id), 'ERR_CONTACT_NOT_FOUND');
      expectProblem(await patch(id, { note: 'x' }, '"1"'), 'ERR_CONTACT_NOT_FOUND');
      expect((await remove(await newId())).status).toBe(204);
      expect((await remove(await newId(), '"7", "9999999999", "1"')).status).toBe(204);
    });

    it("hide from other users: a stranger's contact is as unknown as an invented one", async () => {
      const stranger = await newAccount(app);
      const id = await newId();
      for (const ask of [
        (target: string) => app.get(`/v1/contacts/${target}`, stranger.token),
        (target: string) => patch(target, { note: 'x' }, '"1"', stranger.token),
        (target: string) => patch(target, { note: 'x' }, undefined, stranger.token),
        (target: string) => remove(target, undefined, stranger.token),
        (target: string) => remove(target, '"9"', stranger.token),
      ]) {
        const [foreign, unknown] = [await ask(id), await ask(randomUUID())];
        expectProblem(foreign, 'ERR_CONTACT_NOT_FOUND');
        expect({ ...foreign.members, instance: '' }).toEqual({ ...unknown.members, instance: '' });
      }
      expect((await app.get(`/v1/contacts/${id}`, owner.token)).members['version']).toBe(1);
    });

    it.each([['x'], ['1'], ['%00'], ['%2e%2e'], ['a'.repeat(600)], ['00000000-0000-0000-0000-000000000000']])(
      'know nothing of the id %s',
      async (id) => {
        const response = await app.get(`/v1/contacts/${id}`, owner.token);
        expect([404, 414]).toContain(response.status);
        expectProblem(response, response.members['code'] as 'ERR_NOT_FOUND');
      },
    );

    it(`let one of ${UPDATERS} parallel updates of one version succeed and refuse the rest with 412`, async () => {
      const id = await newId();
      const responses = await Promise.all(
        Array.from({ length: UPDATERS }, (_, index) => patch(id, { note: String(index) }, '"1"')),
      );
      const winner = responses.findIndex(({ status }) => status === 200);
      for (const [index, response] of responses.entries()) {
        if (index !== winner) expectProblem(response, 'ERR_PRECONDITION_FAILED');
      }
      const { members } = await app.get(`/v1/contacts/${id}`, owner.token);
      expect(members).toMatchObject({ version: 2, note: String(winner) });
    });

    it('let one of parallel deletions succeed', async () => {
      const id = await newId();
      const responses = await Promise.all(Array.from({ length: 16 }, () => remove(id, '"1"')));
      expect(responses.filter(({ status }) => status === 204)).toHaveLength(1);
      expect(responses.every(({ status }) => [204, 404, 412].includes(status))).toBe(true);
    });

    it.each<[string, object, string[]]>([
      ['no name', {}, ['/name']],
      ['an empty name', { name: '' }, ['/name']],
      ['a long name', { name: 'x'.repeat(201) }, ['/name']],
      ['a name that is a number', { name: 7 }, ['/name']],
      ['an e-mail address that is none', { name: 'x', email: 'x' }, ['/email']],
      ['an e-mail address that is null', { name: 'x', email: null }, ['/email']],
      ['a phone number that is a list', { name: 'x', phone: ['1'] }, ['/phone']],
      ['a long phone number', { name: 'x', phone: '1'.repeat(51) }, ['/phone']],
      ['a long note', { name: 'x', note: 'x'.repeat(10_001) }, ['/note']],
      ['a note that is an object', { name: 'x', note: { constructor: 'x' } }, ['/note']],
      ['an unknown field', { name: 'x', ownerId: 'me' }, ['/ownerId']],
      ['a version', { name: 'x', version: 7, id: 'mine' }, ['/id', '/version']],
    ])('refuse %s and name the field', async (_claim, json, pointers) => {
      expect(badFields(await create(json)).toSorted()).toEqual(pointers);
    });
  });
});
