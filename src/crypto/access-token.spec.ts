import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { jwtVerify, SignJWT } from 'jose';
import { InMemoryKeyStore } from '../../test/support/in-memory-key-store.js';
import { AccessTokenSigner, InvalidTokenError } from './access-token.js';
import { type AccessTokenClaims } from './access-token-claims.js';

type Members = Readonly<Record<string, unknown>>;

const NOW = 1_800_000_000;
const claims: AccessTokenClaims = {
  iss: 'https://localhost:3443',
  aud: 'api',
  sub: 'ada',
  exp: NOW + 300,
  iat: NOW,
  nbf: NOW,
  jti: 'token-1',
  sid: 'session-1',
  roles: ['user'],
  amr: ['pwd'],
  auth_time: NOW - 10,
};
const expectations = { issuer: claims.iss, audience: claims.aud, nowSeconds: NOW };

const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

const keyStore = new InMemoryKeyStore();
const signer = new AccessTokenSigner(new JwtService({}), keyStore);
let kid: string;
let privateKey: KeyObject;
let publicKey: KeyObject;

beforeAll(async () => {
  ({ kid, key: privateKey } = await keyStore.tokenSigningKey());
  publicKey = createPublicKey(privateKey);
});

describe('an access token', () => {
  it('verifies and gives its claims back', async () => {
    expect(await signer.verify((await signer.ready())(claims), expectations)).toEqual(claims);
  });

  it('has the header of RFC 9068 and nothing more', async () => {
    const [header = ''] = (await signer.ready())(claims).split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid,
    });
  });

  it('is accepted by jose, a second implementation', async () => {
    const { payload, protectedHeader } = await jwtVerify((await signer.ready())(claims), publicKey, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: claims.iss,
      audience: claims.aud,
      currentDate: new Date(NOW * 1000),
    });
    expect(payload).toEqual(claims);
    expect(protectedHeader.kid).toBe(kid);
  });

  it('is accepted when jose has signed it', async () => {
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(privateKey);
    expect(await signer.verify(token, expectations)).toEqual(claims);
  });

  it('stays valid while the keys rotate', async () => {
    const rotated = new InMemoryKeyStore();
    const rotatedSigner = new AccessTokenSigner(new JwtService({}), rotated);
    const token = (await rotatedSigner.ready())(claims);
    rotated.rotateTokenKey();
    expect(await rotatedSigner.verify(token, expectations)).toEqual(claims);
    expect(await rotatedSigner.verify((await rotatedSigner.ready())(claims), expectations)).toEqual(claims);
  });

  it.each([
    ['expired 4 s ago', { exp: NOW - 4 }],
    ['issued 5 s in the future', { iat: NOW + 5, nbf: NOW + 5, auth_time: NOW + 5 }],
    ['with no role', { roles: [] }],
    ['with a claim of a later version', { cnf: { jkt: 'x' } }],
  ])('is accepted %s', async (_what, changes) => {
    const verified = await signer.verify(forge({ payload: { ...claims, ...changes } }), expectations);
    expect(Object.keys(verified).toSorted()).toEqual(Object.keys(claims).toSorted());
  });
});

/** Every forgery is the accepted token of the tests above with one thing changed. */
const forgeries: Readonly<Record<string, () => string>> = {
  'alg none and no signature': () => forge({ header: { alg: 'none' }, signature: '' }),
  'alg None': () => forge({ header: { alg: 'None' }, signature: '' }),
  'alg none with the true signature': () => forge({ header: { alg: 'none' } }),
  'alg none and a signature of one character': () => forge({ header: { alg: 'none' }, signature: 'A' }),
  'an empty signature': () => forge({ signature: '' }),
  'a stripped signature': () => forge({}).split('.').slice(0, 2).join('.'),
  'HS256 keyed with the public key as PEM': () => hs256(pem()),
  'HS256 keyed with the public key as PEM without line end': () => hs256(pem().trim()),
  'HS256 keyed with the public key as DER': () => hs256(publicKey.export({ type: 'spki', format: 'der' })),
  'HS256 keyed with the public key as JWK': () => hs256(JSON.stringify(publicKey.export({ format: 'jwk' }))),
  'HS256 keyed with nothing': () => hs256(''),
  'HS256 keyed with the kid': () => hs256(kid),
  'alg ES384': () => forge({ header: { alg: 'ES384' } }),
  'alg ES256K': () => forge({ header: { alg: 'ES256K' } }),
  'alg es256': () => forge({ header: { alg: 'es256' } }),
  'alg in an array': () => forge({ header: { alg: ['ES256'] } }),
  'no alg': () => forge({ header: { alg: undefined } }),
  'the key of someone else under our kid': () =>
    forge({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
  'a key of another curve': () =>
    forge({ key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }),
  'an embedded jwk': () => forge({ header: { jwk: publicKey.export({ format: 'jwk' }) } }),
  'a jku': () => forge({ header: { jku: 'https://evil.example/jwks.json' } }),
  'an x5u': () => forge({ header: { x5u: 'https://evil.example/cert.pem' } }),
  'an x5c': () => forge({ header: { x5c: ['MIIB'] } }),
  'an unknown crit': () => forge({ header: { crit: ['exp'] } }),
  'an empty crit': () => forge({ header: { crit: [] } }),
  'b64 false': () => forge({ header: { b64: false, crit: ['b64'] } }),
  zip: () => forge({ header: { zip: 'DEF' } }),
  'no kid': () => forge({ header: { kid: undefined } }),
  'an empty kid': () => forge({ header: { kid: '' } }),
  'an unknown kid': () => forge({ header: { kid: '0'.repeat(16) } }),
  'a path as kid': () => forge({ header: { kid: '../../etc/passwd' } }),
  'SQL as kid': () => forge({ header: { kid: "' OR '1'='1" } }),
  '__proto__ as kid': () => forge({ header: { kid: '__proto__' } }),
  'constructor as kid': () => forge({ header: { kid: 'constructor' } }),
  'a kid of 10 kB': () => forge({ header: { kid: 'k'.repeat(10_000) } }),
  'a kid of 2 kB': () => forge({ header: { kid: 'k'.repeat(2000) } }),
  'a number as kid': () => forge({ header: { kid: 1 } }),
  'a kid with a NUL': () => forge({ header: { kid: `${kid}\0` } }),
  'typ JWT': () => forge({ header: { typ: 'JWT' } }),
  'typ in another spelling': () => forge({ header: { typ: 'application/at+jwt' } }),
  'typ in upper case': () => forge({ header: { typ: 'AT+JWT' } }),
  'no typ': () => forge({ header: { typ: undefined } }),
  'another issuer': () => withClaims({ iss: 'https://evil.example' }),
  'the issuer with a slash more': () => withClaims({ iss: `${claims.iss}/` }),
  'another audience': () => withClaims({ aud: 'other' }),
  'the audience in an array': () => withClaims({ aud: ['api'] }),
  'our audience among others': () => withClaims({ aud: ['other', 'api'] }),
  'exp as text': () => withClaims({ exp: String(NOW + 300) }),
  'exp as a fraction': () => withClaims({ exp: NOW + 300.5 }),
  'exp beyond exact numbers': () => withClaims({ exp: 2 ** 60 }),
  'a negative exp': () => withClaims({ exp: -1 }),
  'exp null': () => withClaims({ exp: null }),
  'exp 6 s ago': () => withClaims({ exp: NOW - 6 }),
  'exp 5 s ago': () => withClaims({ exp: NOW - 5 }),
  'nbf 6 s in the future': () => withClaims({ nbf: NOW + 6 }),
  'iat 6 s in the future': () => withClaims({ iat: NOW + 6 }),
  'auth_time 6 s in the future': () => withClaims({ auth_time: NOW + 6 }),
  'an empty sub': () => withClaims({ sub: '' }),
  'a number as sub': () => withClaims({ sub: 1 }),
  'roles as text': () => withClaims({ roles: 'admin' }),
  'a number among the roles': () => withClaims({ roles: ['user', 1] }),
  'amr as an object': () => withClaims({ amr: { 0: 'pwd' } }),
  'r = s = 0': () => forge({ signature: Buffer.alloc(64).toString('base64url') }),
  'r = s = n': () => forge({ signature: Buffer.from(P256_ORDER.repeat(2), 'hex').toString('base64url') }),
  'a signature in DER': () => forge({ dsaEncoding: 'der' }),
  'a signature cut by a byte': () => withSignature((bytes) => bytes.subarray(0, 63)),
  'a signature longer by a byte': () => withSignature((bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
  'a signature with zeros before r': () => withSignature((bytes) => Buffer.concat([Buffer.alloc(64), bytes])),
  'a payload under the signature of another': () =>
    splice(forge({}), forge({ payload: { ...claims, sub: 'eve' } })),
  'a duplicate claim': () => forge({ payloadText: JSON.stringify(claims).replace('{', '{"sub":"eve",') }),
  'a duplicate claim, spelled with an escape': () =>
    forge({ payloadText: JSON.stringify(claims).replace('{', '{"su\\u0062":"eve",') }),
  'a duplicate header member': () =>
    forge({ headerText: `{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"${kid}"}` }),
  'claims behind __proto__': () => forge({ payloadText: `{"__proto__":${JSON.stringify(claims)}}` }),
  'an array as payload': () => forge({ payloadText: JSON.stringify([claims]) }),
  'null as payload': () => forge({ payloadText: 'null' }),
  'null as header': () => forge({ headerText: 'null' }),
  'text as payload': () => forge({ payloadText: '"ada"' }),
  'broken JSON': () => forge({ payloadText: JSON.stringify(claims).slice(0, -1) }),
  'JSON with a space': () => forge({ payloadText: ` ${JSON.stringify(claims)}` }),
  'a byte order mark': () => forge({ payloadText: `\ufeff${JSON.stringify(claims)}` }),
  'a JWE of five parts': () => `${forge({})}.AAAA.AAAA`,
  'four parts': () => `${forge({})}.AAAA`,
  'data behind the token': () => `${forge({})}AAAA`,
  'a line end behind the token': () => `${forge({})}\n`,
  'a space before the token': () => ` ${forge({})}`,
  'base64 padding': () => `${forge({})}==`,
  'base64 instead of base64url': () =>
    withClaims({ sub: '>>>???' }).replaceAll('-', '+').replaceAll('_', '/'),
  'unused bits set in the signature': () => {
    // 64 bytes end in a character of two bits: 'A', 'Q', 'g' or 'w'. The next letter decodes to the same bytes.
    const token = forge({});
    return token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1);
  },
  'more than 4096 characters': () => withClaims({ roles: ['r'.repeat(3000)] }),
  nothing: () => '',
  'two dots': () => '..',
};

describe('a forged access token', () => {
  it.each(Object.keys(forgeries))('is refused: %s', async (name) => {
    expect(await refusalOf(forgeries[name]!())).toBeInstanceOf(InvalidTokenError);
  });

  it.each(Object.keys(claims))('is refused without the claim %s', async (name) => {
    expect(await refusalOf(forge({ payload: { ...claims, [name]: undefined } }))).toBeInstanceOf(
      InvalidTokenError,
    );
  });

  it('is refused with any character of the true token replaced', async () => {
    const token = forge({});
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === 'A' ? 'B' : 'A';
      expect(await refusalOf(token.slice(0, index) + other + token.slice(index + 1))).toBeInstanceOf(
        InvalidTokenError,
      );
    }
  });

  it('is refused without asking for a key while its readable parts are wrong', async () => {
    const asked: string[] = [];
    const watched = new InMemoryKeyStore();
    watched.tokenVerificationKey = async (id) => void asked.push(id);
    const cautious = new AccessTokenSigner(new JwtService({}), watched);
    for (const token of [
      forge({ header: { kid: '../x' } }),
      withClaims({ exp: NOW - 60 }),
      withClaims({ aud: 'x' }),
    ]) {
      await expect(cautious.verify(token, expectations)).rejects.toThrow(InvalidTokenError);
    }
    expect(asked).toEqual([]);
  });

  it('is refused with one error that says nothing', async () => {
    await expect(signer.verify(withClaims({ exp: 0 }), expectations)).rejects.toThrow(
      'access token is not valid',
    );
    expect(await refusalOf('')).not.toHaveProperty('cause');
  });
});

interface Forgery {
  readonly header?: Members;
  readonly headerText?: string;
  readonly payload?: Members;
  readonly payloadText?: string;
  readonly key?: KeyObject;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
  readonly signature?: string;
}

/** A token signed with our key unless told otherwise; without arguments it is a true one. */
function forge(forgery: Forgery): string {
  const header =
    forgery.headerText ?? JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid, ...forgery.header });
  const payload = forgery.payloadText ?? JSON.stringify(forgery.payload ?? claims);
  const input = `${base64url(header)}.${base64url(payload)}`;
  const { key = privateKey, dsaEncoding = 'ieee-p1363' } = forgery;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding }).toString('base64url');
  return `${input}.${forgery.signature ?? signature}`;
}

function withClaims(changes: Members): string {
  return forge({ payload: { ...claims, ...changes } });
}

function withSignature(change: (signature: Buffer) => Buffer): string {
  const token = forge({});
  const input = token.slice(0, token.lastIndexOf('.'));
  return `${input}.${change(signatureOf(token)).toString('base64url')}`;
}

function hs256(secret: string | Buffer): string {
  const [header = '', payload = ''] = forge({ header: { alg: 'HS256' } }).split('.');
  const input = `${header}.${payload}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function splice(signed: string, read: string): string {
  return `${read.slice(0, read.lastIndexOf('.'))}.${signed.slice(signed.lastIndexOf('.') + 1)}`;
}

function signatureOf(token: string): Buffer {
  return Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');
}

function pem(): string {
  return publicKey.export({ type: 'spki', format: 'pem' });
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** What `verify` throws. */
async function refusalOf(token: string): Promise<unknown> {
  return signer.verify(token, expectations).then(
    () => undefined,
    (error: unknown) => error,
  );
}
