import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type JSONWebKeySet } from 'jose';
import { KeyStore } from '../../src/crypto/key-store.js';
import { type Account, newAccount, newAdmin } from '../support/accounts.js';
import { encodePart, readToken, signToken } from '../support/forge-token.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { expectProblem } from '../support/problems.js';
import { type TestApp } from '../support/test-app.js';

interface Forger {
  readonly token: string;
  readonly refreshToken: string;
  readonly nowSeconds: number;
  readonly otherSession: unknown;
  /** The token with other members, under a good signature: only the server could have made it. */
  readonly resigned: (header: object, payload?: object) => string;
  /** The same under the key of somebody else. */
  readonly foreign: (header: object, payload?: object) => string;
}

const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strangersJwk = stranger.publicKey.export({ format: 'jwk' });
/** Two integers 1 in ASN.1, as OpenSSL writes signatures. */
const derSignature = Buffer.from('3006020101020101', 'hex').toString('base64url');
const zeros = Buffer.alloc(64).toString('base64url');

/** The forgeries that RFC 8725 warns of, and one wrong claim or header member at a time. */
const forgeries: [string, (forger: Forger) => string][] = [
  ['no algorithm', ({ token }) => unsigned(token, { alg: 'none' }, {}, '')],
  ['no algorithm, in another case', ({ token }) => unsigned(token, { alg: 'None' }, {}, '')],
  ['an empty signature', ({ token }) => unsigned(token, {}, {}, '')],
  ['no signature at all', ({ token }) => token.split('.', 2).join('.')],
  ['a signature of zeros', ({ token }) => unsigned(token, {}, {}, zeros)],
  ['five parts', ({ token }) => `${token}.${token.split('.', 2).join('.')}`],
  ['another subject under the old signature', ({ token }) => unsigned(token, {}, { sub: 'x' })],
  ['another role under the old signature', ({ token }) => unsigned(token, {}, { roles: ['admin'] })],
  ["a stranger's signature", ({ foreign }) => foreign({})],
  ["a stranger's key in the header", ({ foreign }) => foreign({ jwk: strangersJwk })],
  ["the address of a stranger's keys", ({ foreign }) => foreign({ jku: 'https://evil.example/jwks.json' })],
  [
    "the address of a stranger's certificate",
    ({ foreign }) => foreign({ x5u: 'https://evil.example/a.pem' }),
  ],
  ["a stranger's certificate", ({ foreign }) => foreign({ x5c: ['MIIB'] })],
  ['a key id that is a path', ({ foreign }) => foreign({ kid: '../../dev/null' })],
  ['a key id that is SQL', ({ foreign }) => foreign({ kid: "' or '1'='1" })],
  ['an unknown key id', ({ resigned }) => resigned({ kid: '0123456789abcdef' })],
  ['an unknown critical extension', ({ resigned }) => resigned({ crit: ['exp'] })],
  ['the type of another kind of token', ({ resigned }) => resigned({ typ: 'JWT' })],
  ['another issuer', ({ resigned }) => resigned({}, { iss: 'https://evil.example' })],
  ['another audience', ({ resigned }) => resigned({}, { aud: 'https://evil.example' })],
  ['a list of audiences', ({ resigned }) => resigned({}, { aud: ['https://audience.example.test'] })],
  ['an expiry that is text', ({ resigned }) => resigned({}, { exp: '99999999999' })],
  ['no expiry', ({ resigned }) => resigned({}, { exp: undefined })],
  ['an expiry in the past', ({ resigned, nowSeconds }) => resigned({}, { exp: nowSeconds - 60 })],
  ['a start in the future', ({ resigned, nowSeconds }) => resigned({}, { nbf: nowSeconds + 60 })],
  ["another user's session", ({ resigned, otherSession }) => resigned({}, { sid: otherSession })],
  ['an unknown session', ({ resigned }) => resigned({}, { sid: '01900000-0000-7000-8000-000000000000' })],
  ['no algorithm under a good signature', ({ resigned }) => resigned({ alg: 'none' })],
  ['another algorithm of the same family', ({ resigned }) => resigned({ alg: 'ES384' })],
  ['the algorithm in lower case', ({ resigned }) => resigned({ alg: 'es256' })],
  ['no key id', ({ resigned }) => resigned({ kid: undefined })],
  ['a key id that is a list', ({ resigned }) => resigned({ kid: ['0123456789abcdef'] })],
  ['no type', ({ resigned }) => resigned({ typ: undefined })],
  ['a content type, as of a nested token', ({ resigned }) => resigned({ cty: 'JWT' })],
  ['compression', ({ resigned }) => resigned({ zip: 'DEF' })],
  ['a header of an encrypted token', ({ resigned }) => resigned({ alg: 'dir', enc: 'A256GCM' })],
  ['a payload that is not encoded', ({ resigned }) => resigned({ b64: false, crit: ['b64'] })],
  ['no issuer', ({ resigned }) => resigned({}, { iss: undefined })],
  ['no audience', ({ resigned }) => resigned({}, { aud: undefined })],
  ['no subject', ({ resigned }) => resigned({}, { sub: undefined })],
  ['a subject that is a number', ({ resigned }) => resigned({}, { sub: 7 })],
  ['no session', ({ resigned }) => resigned({}, { sid: undefined })],
  ['no id', ({ resigned }) => resigned({}, { jti: undefined })],
  ['no roles', ({ resigned }) => resigned({}, { roles: undefined })],
  ['no method of authentication', ({ resigned }) => resigned({}, { amr: undefined })],
  ['no time of authentication', ({ resigned }) => resigned({}, { auth_time: undefined })],
  ['no time of issue', ({ resigned }) => resigned({}, { iat: undefined })],
  ['a time of issue in the future', ({ resigned, nowSeconds }) => resigned({}, { iat: nowSeconds + 60 })],
  ['no start', ({ resigned }) => resigned({}, { nbf: undefined })],
  ['an expiry beyond what a number can tell', ({ resigned }) => resigned({}, { exp: 1e308 })],
  ['a line break behind it', ({ token }) => `${token}%0A`],
  ['padding behind its signature', ({ token }) => `${token}==`],
  ['a signature in DER', ({ token }) => `${token.split('.', 2).join('.')}.${derSignature}`],
  ['half a signature', ({ token }) => token.slice(0, -43)],
  ['the refresh token in its place', ({ refreshToken }) => refreshToken],
];

describe('a forged access token', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let account: Account;
    let signingKey: KeyObject;
    let forger: Forger;
    beforeAll(async () => {
      app = await newApp();
      account = await newAccount(app);
      signingKey = (await app.nest.get(KeyStore, { strict: false }).tokenSigningKey()).key;
      const { token, refreshToken } = account;
      const { header, payload } = readToken(token);
      forger = {
        token,
        refreshToken,
        nowSeconds: app.clock.nowSeconds,
        otherSession: readToken((await newAccount(app)).token).payload['sid'],
        resigned: (changedHeader, changedPayload) =>
          signToken({ ...header, ...changedHeader }, { ...payload, ...changedPayload }, signingKey),
        foreign: (changedHeader, changedPayload) =>
          signToken({ ...header, ...changedHeader }, { ...payload, ...changedPayload }, stranger.privateKey),
      };
    });
    afterAll(() => app.close());

    async function expectRefused(token: string): Promise<void> {
      expectProblem(await app.get('/v1/users/me', token), 'ERR_UNAUTHENTICATED');
    }

    it('is no forgery when the signing key signs the same again', async () => {
      expect((await app.get('/v1/users/me', forger.resigned({}))).status).toBe(200);
    });

    it.each(forgeries)('is refused with %s', async (_claim, forge) => {
      await expectRefused(forge(forger));
    });

    it('is refused in at least 50 ways', () => {
      expect(forgeries.length).toBeGreaterThanOrEqual(50);
    });

    it('is refused when it is stale: after a logout, and with roles that were taken away', async () => {
      const { token } = await newAccount(app);
      expect((await app.get('/v1/users/me', token)).status).toBe(200);
      await app.request('POST', '/v1/auth/logout', { token });
      await expectRefused(token);
      const admin = await newAdmin(app);
      const demoted = await newAdmin(app);
      const changed = await app.request('PATCH', `/v1/users/${demoted.id}`, {
        token: admin.token,
        json: { roles: ['user'] },
      });
      expect(changed.status).toBe(200);
      await expectRefused(demoted.token);
    });

    it('is refused when it names a claim twice under a good signature', async () => {
      const { header, payload } = readToken(account.token);
      const twice = JSON.stringify(payload).replace('{', '{"roles":["admin"],');
      const message = `${encodePart(JSON.stringify(header))}.${encodePart(twice)}`;
      const signature = sign('sha256', Buffer.from(message), { key: signingKey, dsaEncoding: 'ieee-p1363' });
      await expectRefused(`${message}.${signature.toString('base64url')}`);
    });

    it('is refused when the public key was used as an HMAC secret', async () => {
      const [jwk] = ((await app.get('/.well-known/jwks.json')).body as JSONWebKeySet).keys;
      const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' });
      const secrets = [
        publicKey.export({ type: 'spki', format: 'pem' }),
        publicKey.export({ type: 'spki', format: 'der' }),
        JSON.stringify(jwk),
      ];
      const message = unsigned(account.token, { alg: 'HS256' }).split('.', 2).join('.');
      for (const secret of secrets) {
        await expectRefused(`${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`);
      }
    });
  });
});

/** The token with other members and a signature that was never made for them. */
function unsigned(
  token: string,
  header: object,
  payload: object = {},
  signature = token.split('.')[2],
): string {
  const good = readToken(token);
  const parts = [
    { ...good.header, ...header },
    { ...good.payload, ...payload },
  ];
  return [...parts.map((part) => encodePart(JSON.stringify(part))), signature].join('.');
}
