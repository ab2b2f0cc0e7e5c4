import { afterEach, describe, expect, it } from '@jest/globals';
import { newEmail, PASSWORD } from '../support/accounts.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

describe('the address of a client', () => {
  let app: TestApp;
  afterEach(() => app.close());

  /** As a session that the request begins has it. */
  async function seenAs(forwardedFor: string, trusted: string): Promise<unknown> {
    app = await newTestApp({ environment: trusted === '' ? {} : { TRUSTED_PROXIES: trusted } });
    const email = newEmail();
    await app.post('/v1/auth/register', { email, password: PASSWORD });
    const headers = {
      'x-forwarded-for': forwardedFor,
      'x-real-ip': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
      'x-forwarded-proto': 'http',
    };
    const login = await app.request('POST', '/v1/auth/login', {
      json: { email, password: PASSWORD },
      headers,
    });
    const [session] = (await app.get('/v1/auth/sessions', login.string('accessToken'))).items;
    return session?.['ip'];
  }

  it.each([
    ['its own, whatever it claims, unless a proxy is trusted', '203.0.113.1', '', '127.0.0.1'],
    ['its own when another proxy is trusted', '203.0.113.1', '10.0.0.0/8', '127.0.0.1'],
    ['what a trusted proxy says', '203.0.113.1', '127.0.0.1', '203.0.113.1'],
    [
      'the right-most that is no trusted proxy',
      '198.51.100.1, 203.0.113.1, 10.1.2.3',
      '127.0.0.1,10.0.0.0/8',
      '203.0.113.1',
    ],
    [
      'never left of one that is not trusted',
      '10.9.9.9, 203.0.113.1',
      '127.0.0.0/8,10.0.0.0/8',
      '203.0.113.1',
    ],
    ['without the port that a proxy adds', '203.0.113.1:1234', '127.0.0.1', '203.0.113.1'],
    ['without brackets', '[2001:db8::1]:80', '127.0.0.1', '2001:db8::1'],
    ['the right-most beside empty entries', '203.0.113.1, ,', '127.0.0.1', '203.0.113.1'],
    ["the proxy's where it says none", '203.0.113.1, <script>', '127.0.0.1', '127.0.0.1'],
    ["the proxy's where it says no address", 'x'.repeat(3_000), '127.0.0.1', '127.0.0.1'],
    ["the proxy's where it says a zone", 'fe80::1%lo', '127.0.0.1', '127.0.0.1'],
    [
      "that of the left-most proxy that doesn't say an address",
      'unknown, 10.1.2.3',
      '127.0.0.1,10.0.0.0/8',
      '10.1.2.3',
    ],
  ])('is %s', async (_claim, forwardedFor, trusted, address) => {
    expect(await seenAs(forwardedFor, trusted)).toBe(address);
  });
});
