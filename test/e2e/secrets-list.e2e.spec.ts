import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

/** Upper case sorts before lower case, and `-` before `.` before `_`: byte order on both databases. */
const app25 = Array.from({ length: 25 }, (_, index) => `app.${String(index).padStart(2, '0')}`);
const others = ['App', 'app', 'app-x', 'app_x', 'apq', 'z', '0'];

describe('the list of secrets', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    beforeAll(async () => {
      app = await newApp();
      owner = await newAccount(app);
      for (const name of [...others, ...app25].toReversed()) {
        const json = { data: { value: `of ${name}` }, metadata: { of: name } };
        await app.request('PUT', `/v1/secrets/${name}`, { token: owner.token, json });
      }
    });
    afterAll(() => app.close());

    function list(query: string, token = owner.token): Promise<HttpsResponse> {
      return app.get(`/v1/secrets${query}`, token);
    }

    /** Follows the cursors to the end; the names page by page. */
    async function pages(query: string): Promise<unknown[][]> {
      const found: unknown[][] = [];
      let cursor: unknown;
      do {
        const page = await list(`?${query}${typeof cursor === 'string' ? `&cursor=${cursor}` : ''}`);
        found.push(page.items.map(({ name }) => name));
        cursor = page.members['nextCursor'];
      } while (cursor !== null);
      return found;
    }

    it('is in byte order and never holds data', async () => {
      const { body } = await list('?limit=2');
      const updatedAt = app.clock.iso();
      expect(body).toEqual({
        items: [
          { name: '0', version: 1, state: 'active', metadata: { of: '0' }, updatedAt },
          { name: 'App', version: 1, state: 'active', metadata: { of: 'App' }, updatedAt },
        ],
        nextCursor: expect.stringMatching(/^[\w-]+$/),
      });
      const everything = (await pages('limit=100')).flat();
      expect(everything).toEqual([...others, ...app25].toSorted());
    });

    it('pages through 25 names with a limit of 10, each once', async () => {
      const found = await pages('prefix=app.&limit=10');
      expect(found.map(({ length }) => length)).toEqual([10, 10, 5]);
      expect(found.flat()).toEqual(app25);
    });

    it('ends with a null cursor also where the last page is full', async () => {
      expect((await pages('prefix=app.&limit=5')).map(({ length }) => length)).toEqual([5, 5, 5, 5, 5]);
    });

    it('has 20 entries a page unless told', async () => {
      expect((await list('')).items).toHaveLength(20);
    });

    it('finds by prefix names that begin so, the same name included', async () => {
      expect((await pages('prefix=app.0&limit=100')).flat()).toEqual(app25.slice(0, 10));
      expect((await pages('prefix=app_&limit=100')).flat()).toEqual(['app_x']);
      expect((await pages('prefix=z')).flat()).toEqual(['z']);
      expect((await list('?prefix=nothing')).body).toEqual({ items: [], nextCursor: null });
    });

    it('begins with the prefix where the cursor is of a name before it, and is empty where it is behind', async () => {
      const before = (await list('?limit=1')).string('nextCursor');
      const found = await list(`?prefix=app.0&cursor=${before}`);
      expect(found.items.map(({ name }) => name)).toEqual(app25.slice(0, 10));
      const behind = (await list('?prefix=app.1&limit=1')).string('nextCursor');
      expect((await list(`?prefix=app.0&cursor=${behind}`)).body).toEqual({ items: [], nextCursor: null });
    });

    it("does not show a stranger's secrets, nor through another's cursor", async () => {
      const { token } = await newAccount(app);
      const cursor = (await list('?limit=1')).string('nextCursor');
      expect((await list('', token)).body).toEqual({ items: [], nextCursor: null });
      expect((await list(`?cursor=${cursor}`, token)).body).toEqual({ items: [], nextCursor: null });
    });

    it.each([
      ['limit=0'],
      ['limit=101'],
      ['limit=-1'],
      ['limit=ten'],
      ['limit=1.5'],
      ['cursor=%00'],
      ['cursor=AA'],
      ['cursor=a=b'],
      ['cursor=YQ=='],
      [`cursor=${'Y'.repeat(401)}`],
      ['prefix=%2f'],
      ['prefix=%25'],
      ['prefix=%00'],
      [`prefix=${'a'.repeat(129)}`],
      ['prefix=a&prefix=b'],
      ['offset=1'],
      ['limit=1&limit=2'],
    ])('refuses ?%s', async (query) => {
      expectProblem(await list(`?${query}`), 'ERR_VALIDATION');
    });
  });
});
