import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { newTestApp } from '../support/test-app.js';

describe('the welcome page', () => {
  it.each(['https://issuer.example.test/', 'https://issuer.example.test'])(
    'shows calls that can be copied, under the issuer %s',
    async (issuer) => {
      const app = await newTestApp({ environment: { ISSUER_URL: issuer } });
      const { text } = await app.get('/');
      const ca = relative(process.cwd(), join(app.environment['CERTS_DIR'] ?? '', 'ca.pem'));
      expect(text).toContain(`curl --cacert ${ca} https://issuer.example.test/v1/auth/register -H`);
      await app.close();
    },
  );

  it('quotes a directory for the shell and for the page', async () => {
    const app = await newTestApp();
    const certificates = join(app.environment['DATA_DIR'] ?? '', "my <'certs'> & keys");
    const other = await app.newInstance({ CERTS_DIR: certificates });
    const path = relative(process.cwd(), certificates).replace("<'certs'> &", "&lt;'\\''certs'\\''> &amp;");
    expect((await other.get('/')).text).toContain(`curl --cacert '${path}/ca.pem' https://`);
    await other.close();
    await app.close();
  });
});
