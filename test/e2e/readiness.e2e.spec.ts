import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newAccount, newAdmin } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type TestApp } from '../support/test-app.js';

describe('readiness', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    beforeAll(async () => {
      app = await newApp();
    });
    afterAll(() => app.close());

    it('tells an administrator until when the certificate is good', async () => {
      const { token } = await newAdmin(app);
      const { notAfter } = app.secure.tls.served.current;
      expect((await app.get('/health/ready', token)).body).toEqual({
        status: 'ok',
        certificate: { expiresAt: notAfter.toISOString(), daysLeft: 89 },
      });
    });

    it('tells nobody else, whatever token they send', async () => {
      const { token } = await newAccount(app);
      const forged = `${(await newAdmin(app)).token.slice(0, -8)}AAAAAAAA`;
      for (const sent of [undefined, token, forged, 'x']) {
        const { status, body } = await app.get('/health/ready', sent);
        expect({ status, body }).toEqual({ status: 200, body: { status: 'ok' } });
      }
    });

    it('tells an administrator no more once they are signed out', async () => {
      const { token } = await newAdmin(app);
      await app.post('/v1/auth/logout', undefined, token);
      expect((await app.get('/health/ready', token)).body).toEqual({ status: 'ok' });
    });
  });
});
