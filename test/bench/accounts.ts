import { type Origin, send } from './https-client.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export async function register(origin: Origin, name: string): Promise<Credentials> {
  const json = { email: `${name}@bench.example.com`, password: 'maple otter drifts at noon' };
  await send(origin, 'POST', '/v1/auth/register', 201, { json });
  return json;
}

/** The access token. */
export async function logIn(origin: Origin, json: Credentials): Promise<string> {
  const { body } = await send(origin, 'POST', '/v1/auth/login', 200, { json });
  const tokens: { readonly accessToken: string } = JSON.parse(body);
  return tokens.accessToken;
}
