import { randomBytes } from 'node:crypto';
import { UsersService } from '../../src/users/users.service.js';
import { type HttpsClient } from './https-client.js';
import { databaseOf } from './retired-keys.js';
import { type TestApp } from './test-app.js';

export const PASSWORD = 'maple otter drifts at noon';

/** Signed in. `token` is the access token. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly refreshToken: string;
}

export function newEmail(): string {
  return `${randomBytes(8).toString('hex')}@example.com`;
}

/** Registers a new user over the API and signs them in. */
export async function newAccount(app: HttpsClient): Promise<Account> {
  const email = newEmail();
  const registered = await app.post('/v1/auth/register', { email, password: PASSWORD });
  return { id: registered.string('id'), email, ...(await signIn(app, email)) };
}

/** An administrator, made as the command line does it: the API has no way to become one. */
export async function newAdmin(app: TestApp): Promise<Account> {
  const email = newEmail();
  const { id } = await app.nest
    .get(UsersService, { strict: false })
    .create(email, PASSWORD, ['user', 'admin']);
  return { id, email, ...(await signIn(app, email)) };
}

/** As an administrator's change does, and nothing else: what is open goes on until it is looked at. */
export async function setDisabled(app: TestApp, userId: string, atMs: number | null): Promise<void> {
  await databaseOf(app)
    .query.updateTable('users')
    .set({ disabled_at: atMs })
    .where('id', '=', userId)
    .execute();
}

export async function signIn(
  app: HttpsClient,
  email: string,
): Promise<Pick<Account, 'token' | 'refreshToken'>> {
  const tokens = await app.post('/v1/auth/login', { email, password: PASSWORD });
  return { token: tokens.string('accessToken'), refreshToken: tokens.string('refreshToken') };
}
