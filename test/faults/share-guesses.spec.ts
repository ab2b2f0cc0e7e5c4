import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { type TestApp } from '../support/test-app.js';

const GUESSES = 10_000;
const AT_ONCE = 50;
const TIMEOUT_MS = 300_000;

describe(`${GUESSES} guesses at shares`, () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let owner: Account;
    let share: { id: string; token: string };
    afterEach(() => app.close());

    async function start(environment: Record<string, string>): Promise<void> {
      app = await newApp({ environment });
      owner = await newAccount(app);
      const created = await app.post('/v1/shares', { data: { v: 'hidden' } }, owner.token);
      share = { id: created.string('id'), token: created.string('token') };
    }

    /** Half of them at ids, half at the token of a share that is there. @returns how often each answer came */
    async function guess(): Promise<Map<string, number>> {
      const seen = new Map<string, number>();
      const note = (response: HttpsResponse) => {
        const { date: _date, 'x-request-id': _id, 'retry-after': _wait, ...headers } = response.headers;
        const look = JSON.stringify([response.status, headers, { ...response.members, instance: '' }]);
        seen.set(look, (seen.get(look) ?? 0) + 1);
      };
      const { token } = share;
      for (let made = 0; made < GUESSES; made += AT_ONCE) {
        const batch = Array.from({ length: AT_ONCE }, (_, index) =>
          index % 2 === 0
            ? app.post(`/v1/shares/${randomUUID()}/reveal`, { token })
            : app.post(`/v1/shares/${share.id}/reveal`, { token: `${token.slice(0, -1)}${index % 10}` }),
        );
        for (const response of await Promise.all(batch)) note(response);
      }
      return seen;
    }

    async function viewsLeft(): Promise<unknown> {
      return (await app.get('/v1/shares', owner.token)).items[0]?.['viewsLeft'];
    }

    describe('where nothing limits them', () => {
      beforeEach(() => start({}));

      it(
        'all get one answer, and use nothing up',
        async () => {
          const seen = await guess();
          expect([...seen.values()]).toEqual([GUESSES]);
          expect([...seen.keys()][0]).toContain('ERR_SHARE_NOT_FOUND');
          expect(await viewsLeft()).toBe(1);
        },
        TIMEOUT_MS,
      );
    });

    describe('under the default limits', () => {
      beforeEach(() => start({ RATE_LIMIT_PER_MINUTE: '100', AUTH_RATE_LIMIT_PER_MINUTE: '10' }));

      it(
        'are refused after the first few, whatever they guess at',
        async () => {
          const seen = [...(await guess())].toSorted(([, one], [, other]) => one - other);
          expect(seen).toHaveLength(2);
          const [[notFound, few] = [], [refused, many] = []] = seen;
          expect(notFound).toContain('ERR_SHARE_NOT_FOUND');
          expect(refused).toContain('ERR_RATE_LIMITED');
          expect(few).toBeLessThanOrEqual(10);
          expect(many).toBe(GUESSES - (few ?? 0));
          app.clock.advance(61);
          expect(await viewsLeft()).toBe(1);
        },
        TIMEOUT_MS,
      );
    });
  });
});
