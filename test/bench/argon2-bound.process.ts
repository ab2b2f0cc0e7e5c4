/**
 * What this machine could do if it did nothing but hash passwords: no server, no queue, no database.
 * The parameters are those of a hash that the application makes.
 */
import { hash, parseOptions } from '@node-rs/argon2';
import { dist } from './built.ts';
import { serveCalls } from './child.ts';

const CONCURRENCY = 16;
const PASSWORD = 'correct horse battery staple';

type Hashing = typeof import('../../src/crypto/password-hasher.js');
const { PasswordHasher } = await dist<Hashing>('crypto/password-hasher.js');
const options = parseOptions(await new PasswordHasher().hash(PASSWORD));

const api = { hashesPerSecond };
export type Argon2BoundApi = typeof api;
serveCalls(api);

async function hashesPerSecond(durationMs: number): Promise<number> {
  const startedAtMs = performance.now();
  let hashes = 0;
  const loop = async () => {
    while (performance.now() - startedAtMs < durationMs) {
      await hash(PASSWORD, options);
      hashes++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, loop));
  return hashes / ((performance.now() - startedAtMs) / 1_000);
}
