import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { packEntries } from '../../src/users/password-list-format.js';
import { newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type HttpsResponse } from '../support/https-client.js';
import { badFields, expectProblem } from '../support/problems.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

describe('registration', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    function register(email: string, password: string): Promise<HttpsResponse> {
      return app.post('/v1/auth/register', { email, password });
    }

    it('makes a user with the role user and shows nothing of the password', async () => {
      const email = newEmail();
      const response = await register(email, PASSWORD);
      expect(response.status).toBe(201);
      expect(response.body).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        email,
        roles: ['user'],
        createdAt: app.clock.iso(),
      });
    });

    it.each([
      ['fewer than 15 code points', 'correct horse!'],
      ['14 emoji, which are 28 UTF-16 units', '🐴🐶🐱🐭🐹🐰🦊🐻🐼🐨🐯🦁🐮🐷'],
      ['more than 1024 bytes', 'correct horse '.repeat(74)],
      ['a repeat', 'abcabcabcabcabcabc'],
      ['a sequence', 'abcdefghijklmnopqrst'],
      ['a listed password twice', 'iloveyouiloveyou'],
      ['a listed phrase', 'correct horse battery staple'],
      ['the parts of the e-mail address', 'ada.lovelace@example.com'],
      ['the local part and padding', 'lovelace-2026!!!'],
      ['the name of the service', 'nestjs-secure-api'],
    ])('refuses a password of %s and names the field', async (_claim, password) => {
      expect(badFields(await register('ada.lovelace@example.com', password))).toEqual(['/password']);
    });

    it('counts code points after NFKC, so a ligature is as long as its letters', async () => {
      expect((await register(newEmail(), 'oﬃcial riﬀe')).status).toBe(400); // 14 letters in 11 code points
      expect((await register(newEmail(), 'oﬃcial riﬄe')).status).toBe(201); // 15 letters
    });

    it('takes an e-mail address once, whatever its case and Unicode form', async () => {
      const suffix = newEmail();
      expect((await register(`ada${suffix}`, PASSWORD)).status).toBe(201);
      for (const email of [`ada${suffix}`, `ADA${suffix}`, `Ａda${suffix}`, `ada${suffix.toUpperCase()}`]) {
        expectProblem(await register(email, PASSWORD), 'ERR_EMAIL_TAKEN');
      }
      expect((await register(`àda${suffix}`, PASSWORD)).status).toBe(201);
      expectProblem(await register(`a\u0300da${suffix}`, PASSWORD), 'ERR_EMAIL_TAKEN');
    });

    it('gives one e-mail address to one of 16 racing callers', async () => {
      const email = newEmail();
      const responses = await Promise.all(Array.from({ length: 16 }, () => register(email, PASSWORD)));
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(15);
    });

    it('refuses roles and any other field that a caller adds', async () => {
      const body = { email: newEmail(), password: PASSWORD, roles: ['admin'], id: 'mine' };
      const refused = badFields(await app.post('/v1/auth/register', body));
      expect(refused.toSorted()).toEqual(['/id', '/roles']);
    });

    it.each([
      ['no-at'],
      ['a@b'],
      ['@example.com'],
      [`${'a'.repeat(250)}@example.com`],
      ['a b@example.com'],
      [''],
    ])('refuses %p as an e-mail address', async (email) => {
      expect(badFields(await register(email, PASSWORD))).toEqual(['/email']);
    });

    it('is refused to everyone when it is closed, while users who exist sign in', async () => {
      const { email } = await newAccount(app);
      const closed = await app.newInstance({ REGISTRATION: 'closed' });
      const refusals = [newEmail(), email].map((address) =>
        closed.post('/v1/auth/register', { email: address, password: PASSWORD }),
      );
      for (const refusal of await Promise.all(refusals)) expectProblem(refusal, 'ERR_REGISTRATION_CLOSED');
      expect((await closed.post('/v1/auth/login', { email, password: PASSWORD })).status).toBe(200);
      await closed.close();
    });
  });
});

describe('registration while the list of passwords is gone', () => {
  it('is refused with 503 until it is back', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'list-'));
    const file = join(directory, 'list.bin');
    await writeFile(file, packEntries(new Float64Array()));
    const app = await newTestApp({ environment: { PASSWORD_LIST_FILE: file } });
    try {
      const credentials = { email: newEmail(), password: PASSWORD };
      await rm(file);
      expectProblem(await app.post('/v1/auth/register', credentials), 'ERR_UNAVAILABLE');
      await writeFile(file, packEntries(new Float64Array()));
      expect((await app.post('/v1/auth/register', credentials)).status).toBe(201);
    } finally {
      await app.close();
      await rm(directory, { recursive: true });
    }
  });
});
