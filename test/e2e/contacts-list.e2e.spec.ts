import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

const names = Array.from({ length: 25 }, (_, index) => `contact ${index}`);

describe('the list of contacts', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
      for (const [index, name] of names.entries()) {
        app.clock.advance(0.001);
        const email = index % 5 === 0 ? 'Five@Example.com' : `c${index}@example.com`;
        await app.post('/v1/contacts', { name, email }, owner.token);
      }
    });
    afterAll(() => app.close());

    function list(query: string, token = owner.token): Promise<HttpsResponse> {
      return app.get(`/v1/contacts${query}`, token);
    }

    async function search(email: string, token = owner.token): Promise<unknown[]> {
      const { items } = await list(`?email=${encodeURIComponent(email)}`, token);
      return items.map(({ name }) => name);
    }

    it('pages through 25 contacts with a limit of 10, oldest first and each once', async () => {
      const first = await list('?limit=10');
      const second = await list(`?limit=10&cursor=${first.string('nextCursor')}`);
      const third = await list(`?limit=10&cursor=${second.string('nextCursor')}`);
      expect(third.members['nextCursor']).toBeNull();
      const found = [first, second, third].map(({ items }) => items.map(({ name }) => name));
      expect(found.map(({ length }) => length)).toEqual([10, 10, 5]);
      expect(found.flat()).toEqual(names);
    });

    it('has whole contacts as entries and 20 of them unless told', async () => {
      const { items } = await list('');
      expect(items).toHaveLength(20);
      const { body } = await app.get(`/v1/contacts/${String(items[0]?.['id'])}`, owner.token);
      expect(items[0]).toEqual(body);
    });

    it('finds an encrypted e-mail address, upper and lower case and Unicode forms alike', async () => {
      const fives = ['contact 0', 'contact 5', 'contact 10', 'contact 15', 'contact 20'];
      for (const spelling of ['five@example.com', 'FIVE@EXAMPLE.COM', 'Ｆive@example.com']) {
        expect(await search(spelling)).toEqual(fives);
      }
      expect(await search('c7@example.com')).toEqual(['contact 7']);
      expect(await search('nobody@example.com')).toEqual([]);
      expect(await search('ive@example.com')).toEqual([]);
    });

    it('pages through what a search finds', async () => {
      const first = await list('?email=five@example.com&limit=3');
      const second = await list(`?email=five@example.com&limit=3&cursor=${first.string('nextCursor')}`);
      expect(first.items.map(({ name }) => name)).toEqual(['contact 0', 'contact 5', 'contact 10']);
      expect(second.items.map(({ name }) => name)).toEqual(['contact 15', 'contact 20']);
      expect(second.members['nextCursor']).toBeNull();
    });

    it('finds a contact under its new address only once it has changed', async () => {
      const created = await app.post(
        '/v1/contacts',
        { name: 'mover', email: 'old@example.com' },
        owner.token,
      );
      await app.request('PATCH', `/v1/contacts/${created.string('id')}`, {
        token: owner.token,
        json: { email: 'new@example.com' },
        headers: { 'if-match': '"1"' },
      });
      expect(await search('old@example.com')).toEqual([]);
      expect(await search('new@example.com')).toEqual(['mover']);
      await app.request('DELETE', `/v1/contacts/${created.string('id')}`, { token: owner.token });
      expect(await search('new@example.com')).toEqual([]);
    });

    it('shows each user their own contacts only', async () => {
      const stranger = await newAccount(app);
      await app.post('/v1/contacts', { name: 'theirs', email: 'five@example.com' }, stranger.token);
      expect(await search('five@example.com', stranger.token)).toEqual(['theirs']);
      expect((await list('', stranger.token)).items.map(({ name }) => name)).toEqual(['theirs']);
      expect(await search('five@example.com')).toHaveLength(5);
      const cursor = (await list('?limit=1')).string('nextCursor');
      const throughCursor = await list(`?cursor=${cursor}`, stranger.token);
      expect(throughCursor.items.map(({ name }) => name)).toEqual(['theirs']);
    });

    it.each([
      ['limit=0'],
      ['limit=101'],
      ['limit=x'],
      ['cursor=%00'],
      ['cursor=!'],
      ['email='],
      ['email=no-address'],
      ['email=a@example.com&email=b@example.com'],
      ['name=ada'],
      ['constructor=x'],
      ['__proto__=x'],
      ['limit[]=1'],
    ])('refuses ?%s', async (query) => {
      expectProblem(await list(`?${query}`), 'ERR_VALIDATION');
    });
  });
});
