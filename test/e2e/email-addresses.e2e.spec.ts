import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAdmin, newEmail, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { badFields, expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

/** An address, other spellings of it, and those that look alike and are somebody else's. */
const ADDRESSES = [
  {
    kind: 'in mixed case and with a plus tag',
    registered: 'Ada.Lovelace+Notes@Example.COM',
    same: ['ada.lovelace+notes@example.com', 'ADA.LOVELACE+NOTES@EXAMPLE.COM'],
    others: ['ada.lovelace@example.com', 'ada.lovelace+note@example.com', 'adalovelace+notes@example.com'],
  },
  {
    kind: 'with accents, in an internationalised domain',
    registered: 'Zoë@Bücher.example',
    same: ['zoe\u0308@bu\u0308cher.example', 'ZOË@BÜCHER.EXAMPLE', 'ｚｏë@bücher.example'],
    others: ['zoe@bücher.example', 'zoë@bucher.example', 'zoë@xn--bcher-kva.example'],
  },
  {
    kind: 'with letters that have no simple other case',
    registered: 'weiß.ısık@example.com',
    same: ['WEIß.ısıK@example.com'],
    others: ['weiss.ısık@example.com', 'weiß.isik@example.com', 'WEISS.ISIK@EXAMPLE.COM'],
  },
  {
    kind: 'in another script',
    registered: '用户@例子.广告',
    same: ['用户@例子.广告'],
    others: ['用戶@例子.广告'],
  },
] as const;

describe('an e-mail address', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let admin: Account;
    beforeAll(async () => {
      app = await newApp();
      admin = await newAdmin(app);
    });
    afterAll(() => app.close());

    const register = (email: string) => app.post('/v1/auth/register', { email, password: PASSWORD });
    const login = (email: string) => app.post('/v1/auth/login', { email, password: PASSWORD });

    async function search(email: string): Promise<unknown[]> {
      const { items } = await app.get(`/v1/users?email=${encodeURIComponent(email)}`, admin.token);
      return items.map((user) => user['email']);
    }

    it.each(ADDRESSES)(
      '$kind is one account in every spelling, and shown as it was registered',
      async ({ registered, same, others }) => {
        const { status, members } = await register(registered);
        expect([status, members['email']]).toEqual([201, registered]);
        for (const spelling of [registered, ...same]) {
          expectProblem(await register(spelling), 'ERR_EMAIL_TAKEN');
          expect((await login(spelling)).status).toBe(200);
          expect(await search(spelling)).toEqual([registered]);
        }
        for (const other of others) {
          expectProblem(await login(other), 'ERR_INVALID_CREDENTIALS');
          expect(await search(other)).toEqual([]);
          expect((await register(other)).status).toBe(201);
          expect(await search(other)).toEqual([other]);
        }
        expect(await search(registered)).toEqual([registered]);
      },
    );

    it.each([
      '\u200b',
      '\u200d',
      '\u00ad',
      '\u2060',
      '\u202e',
      '\u180b',
      '\ufe0f',
      '\u3164',
      '\u2028',
      '\u2029',
      '\u2003',
      '\u3000',
      '\u2800',
    ])(
      'with the invisible character %j, which would look like another, is not registered',
      async (character) => {
        const [name = '', domain = ''] = newEmail().split('@');
        for (const email of [`${name}${character}@${domain}`, `${character}${name}@${domain}`]) {
          expect([email, badFields(await register(email))]).toEqual([email, ['/email']]);
        }
        expectProblem(await login(`${name}${character}@${domain}`), 'ERR_INVALID_CREDENTIALS');
      },
    );

    it('with a plus must be encoded in a query, where a plus is a space', async () => {
      const email = `plus+tag${newEmail()}`;
      await register(email);
      expect(badFields(await app.get(`/v1/users?email=${email}`, admin.token))).toEqual(['/email']);
      expect(await search(email)).toEqual([email]);
    });
  });
});
