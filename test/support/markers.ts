import { randomBytes } from 'node:crypto';
import { SealingKeyPair } from '../../src/crypto/sealing-key.js';
import { AuthenticatorApp } from './authenticator-app.js';
import { type HttpsClient } from './https-client.js';

/** Values that must never be readable where they end up. Each is found nowhere else. */
export const secretMarkers = {
  password: 'marker-password-Zq3vX81kd0',
  email: 'marker-email-p0w7@example.com',
  secretKey: 'marker-secret-key-1u7d',
  secretValue: 'marker-secret-value-9b2c',
  oldSecretValue: 'marker-old-secret-value-44fa',
  deletedSecretValue: 'marker-deleted-value-7e01',
  patchedSecretValue: 'marker-patched-value-5d1e',
  destroyedSecretValue: 'marker-destroyed-value-8ac3',
  grantedKey: 'marker-granted-key-77d0',
  grantedValue: 'marker-granted-value-6e42',
  recipientEmail: 'marker-recipient-a90c@example.com',
  sharedKey: 'marker-shared-key-0b6f',
  sharedValue: 'marker-shared-value-3e97',
  passphrase: 'marker-passphrase-c15d',
  contactName: 'Marker Contact Name 51aa',
  contactEmail: 'marker-contact-2f6d@example.com',
  contactPhone: '+00 555 0199 8877',
  contactNote: 'marker-contact-note-c3c3',
  oldContactNote: 'marker-old-contact-note-d4d4',
} as const;

/** What the documentation says is stored as it is. */
export const plainMarkers = {
  secretName: 'marker.secret.name.a1b2',
  metadata: 'marker-metadata-e5f6',
  patchedMetadata: 'marker-patched-metadata-1c8b',
  apiKeyName: 'marker-api-key-name-d3e9',
  userAgent: 'marker-user-agent/1.0',
} as const;

/** Tokens, codes and a sealed box that the server made. */
export interface Written {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly usedRefreshToken: string;
  readonly apiKey: string;
  readonly recipientToken: string;
  readonly sealedGrant: string;
  readonly totpSecret: string;
  readonly recoveryCode: string;
  readonly usedRecoveryCode: string;
  readonly shareToken: string;
  readonly usedShareToken: string;
}

/**
 * Puts every marker where a client would, and some where a careless one would.
 *
 * @param nowMs - the server's time
 */
export async function writeMarkers(app: HttpsClient, nowMs: number): Promise<Written> {
  const credentials = { email: secretMarkers.email, password: secretMarkers.password };
  const headers = { 'user-agent': plainMarkers.userAgent };
  await app.post('/v1/auth/register', credentials);
  await app.post('/v1/auth/login', { ...credentials, password: `${secretMarkers.password}-wrong` });
  const login = await app.request('POST', '/v1/auth/login', { json: credentials, headers });
  const usedRefreshToken = login.string('refreshToken');
  const tokens = await app.post('/v1/auth/refresh', { refreshToken: usedRefreshToken });
  const token = tokens.string('accessToken');

  for (const value of [
    secretMarkers.oldSecretValue,
    secretMarkers.deletedSecretValue,
    secretMarkers.destroyedSecretValue,
    secretMarkers.secretValue,
  ]) {
    const json = { data: { [secretMarkers.secretKey]: value }, metadata: { note: plainMarkers.metadata } };
    await app.request('PUT', `/v1/secrets/${plainMarkers.secretName}`, { token, json });
  }
  await app.request('DELETE', `/v1/secrets/${plainMarkers.secretName}?versions=2`, { token });
  await app.post(`/v1/secrets/${plainMarkers.secretName}/destroy`, { versions: [3] }, token);
  await app.request('PATCH', `/v1/secrets/${plainMarkers.secretName}`, {
    token,
    raw: JSON.stringify({ [secretMarkers.secretKey]: secretMarkers.patchedSecretValue }),
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  await app.get(`/v1/secrets/${plainMarkers.secretName}`, token);
  const grant = await writeGrant(app, token);
  const shareTokens = await writeShares(app, token);

  const contact = await app.post(
    '/v1/contacts',
    {
      name: secretMarkers.contactName,
      email: secretMarkers.contactEmail,
      phone: secretMarkers.contactPhone,
      note: secretMarkers.oldContactNote,
    },
    token,
  );
  await app.request('PATCH', `/v1/contacts/${contact.string('id')}`, {
    token,
    json: { note: secretMarkers.contactNote },
    headers: { 'if-match': '"1"' },
  });
  await app.get(`/v1/contacts?email=${secretMarkers.contactEmail}`, token);
  const issued = await writeCredentials(app, token, nowMs);
  await makeMistakes(app, token);
  return {
    ...issued,
    accessToken: token,
    refreshToken: tokens.string('refreshToken'),
    usedRefreshToken,
    ...grant,
    ...shareTokens,
  };
}

/** Read by its recipient under the key that the server holds for them, and again under one that only they hold. */
async function writeGrant(
  app: HttpsClient,
  token: string,
): Promise<Pick<Written, 'recipientToken' | 'sealedGrant'>> {
  const { grantedKey, grantedValue, recipientEmail, password } = secretMarkers;
  await app.request('PUT', '/v1/secrets/granted', { token, json: { data: { [grantedKey]: grantedValue } } });
  const patched = await app.request('PATCH', '/v1/secrets/granted/metadata', {
    token,
    raw: JSON.stringify({ note: plainMarkers.patchedMetadata }),
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  if (patched.status !== 200) throw new Error(patched.text);
  const credentials = { email: recipientEmail, password };
  const recipient = await app.post('/v1/auth/register', credentials);
  const userId = recipient.string('id');
  const recipientToken = (await app.post('/v1/auth/login', credentials)).string('accessToken');
  const grant = await app.post('/v1/secrets/granted/grants', { userId }, token);
  const path = `/v1/grants/${grant.string('id')}`;
  const opened = await app.get(path, recipientToken);
  if (!opened.text.includes(grantedValue)) throw new Error(opened.text);
  const parameters = { id: '0000000000000000', owner: userId, kem: 'MLKEM768-X25519' } as const;
  const { publicKey } = await SealingKeyPair.import(parameters, randomBytes(32));
  const json = { publicKey: publicKey.bytes.toString('base64url') };
  await app.request('PUT', '/v1/users/me/public-key', { token: recipientToken, json });
  return { recipientToken, sealedGrant: (await app.get(path, recipientToken)).string('sealed') };
}

/** An API key and a second factor, each used. */
async function writeCredentials(
  app: HttpsClient,
  token: string,
  nowMs: number,
): Promise<Pick<Written, 'apiKey' | 'totpSecret' | 'recoveryCode' | 'usedRecoveryCode'>> {
  const created = await app.post(
    '/v1/api-keys',
    { name: plainMarkers.apiKeyName, scopes: ['contacts:read'] },
    token,
  );
  const apiKey = created.string('key');
  await app.get('/v1/contacts', apiKey);
  const enrolled = await app.request('POST', '/v1/auth/totp', { token });
  const code = new AuthenticatorApp(enrolled.string('uri')).code(nowMs);
  const { members } = await app.post('/v1/auth/totp/activate', { code }, token);
  const [recoveryCode = '', usedRecoveryCode = ''] = members['recoveryCodes'] as string[];
  const { email, password } = secretMarkers;
  await app.post('/v1/auth/login', { email, password, code: usedRecoveryCode });
  return { apiKey, totpSecret: enrolled.string('secret'), recoveryCode, usedRecoveryCode };
}

/** One that is revealed and gone, one that is guessed at and stays. */
async function writeShares(
  app: HttpsClient,
  token: string,
): Promise<Pick<Written, 'shareToken' | 'usedShareToken'>> {
  const { sharedKey, sharedValue, passphrase } = secretMarkers;
  const json = { data: { [sharedKey]: sharedValue }, passphrase };
  const used = await app.post('/v1/shares', json, token);
  const usedShareToken = used.string('token');
  await app.post(`/v1/shares/${used.string('id')}/reveal`, { token: usedShareToken, passphrase });
  const kept = await app.post('/v1/shares', json, token);
  const shareToken = kept.string('token');
  const guess = { token: shareToken, passphrase: `${passphrase}-wrong` };
  await app.post(`/v1/shares/${kept.string('id')}/reveal`, guess);
  return { shareToken, usedShareToken };
}

async function makeMistakes(app: HttpsClient, token: string): Promise<void> {
  const { password, secretValue, contactNote } = secretMarkers;
  const headers = { 'content-type': 'application/json' };
  await app.request('POST', '/v1/auth/login', { raw: `{"password":"${password}"`, headers });
  await app.post('/v1/auth/register', { email: password, password, [password]: password });
  await app.get(`/v1/nothing/${secretValue}?${secretValue}=${secretValue}`, token);
  await app.get(`/v1/contacts?email=${contactNote}`, token);
  await app.get(`/v1/contacts/${contactNote}`, token);
  await app.request('PATCH', `/v1/${secretValue}`, { token, json: { data: secretValue } });
  await app.request('PUT', `/v1/secrets/${'x'.repeat(200)}${secretValue}`, {
    token,
    json: { data: secretValue },
  });
  await app.request('GET', '/v1/users/me', { headers: { authorization: `Basic ${password}` } });
}

/** The ways in which bytes could still give a value away. */
export function spellings(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  return [
    value,
    value.toLowerCase(),
    value.toUpperCase(),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}
