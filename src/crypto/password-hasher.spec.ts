import { availableParallelism } from 'node:os';
import { hash } from '@node-rs/argon2';
import { describe, expect, it } from '@jest/globals';
import { HashQueueFullError, PasswordHasher } from './password-hasher.js';

const PASSWORD = 'correct horse battery staple';
const hasher = new PasswordHasher();

describe('PasswordHasher', () => {
  it('gives a PHC string of Argon2id with 19 MiB, two passes, 16 bytes of salt and 32 of tag', async () => {
    expect(await hasher.hash(PASSWORD)).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
  });

  it('gives another hash for the same password', async () => {
    expect(await hasher.hash(PASSWORD)).not.toBe(await hasher.hash(PASSWORD));
  });

  it('verifies the password and no other', async () => {
    const stored = await hasher.hash(PASSWORD);
    expect(await hasher.verify(PASSWORD, stored)).toEqual({ ok: true, needsRehash: false });
    for (const other of ['', `${PASSWORD} `, PASSWORD.toUpperCase(), PASSWORD.slice(1)]) {
      expect(await hasher.verify(other, stored)).toEqual({ ok: false, needsRehash: false });
    }
  });

  it('takes composed and decomposed letters for the same password', async () => {
    const stored = await hasher.hash('pa\u0308ssw\u00f6rd pa\u0308ssword');
    expect((await hasher.verify('p\u00e4sswo\u0308rd p\u00e4ssword', stored)).ok).toBe(true);
  });

  it('reads past a NUL character and past 72 bytes, where older schemes stop', async () => {
    const long = 'x'.repeat(100);
    const stored = await hasher.hash(`${long}\0a`);
    expect((await hasher.verify(`${long}\0b`, stored)).ok).toBe(false);
    expect((await hasher.verify(long, stored)).ok).toBe(false);
  });

  it.each([
    ['less memory', { memoryCost: 4096, timeCost: 2, parallelism: 1 }],
    ['fewer passes', { memoryCost: 19_456, timeCost: 1, parallelism: 1 }],
    ['more lanes', { memoryCost: 19_456, timeCost: 2, parallelism: 2 }],
    ['a shorter tag', { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 16 }],
    ['a shorter salt', { memoryCost: 19_456, timeCost: 2, parallelism: 1, salt: Buffer.from('8 bytes!') }],
    ['Argon2i', { algorithm: 1, memoryCost: 19_456, timeCost: 2, parallelism: 1 }],
  ])('asks for a new hash after the right password when the old one has %s', async (_what, options) => {
    const stored = await hash(PASSWORD, options);
    expect(await hasher.verify(PASSWORD, stored)).toEqual({ ok: true, needsRehash: true });
    expect(await hasher.verify('wrong', stored)).toEqual({ ok: false, needsRehash: false });
  });

  it('says no to any password of an unknown user', async () => {
    for (const password of ['', PASSWORD]) {
      expect(await hasher.verify(password, undefined)).toEqual({ ok: false, needsRehash: false });
    }
  });

  it('spends the same time on a known and an unknown user', async () => {
    const stored = await hasher.hash(PASSWORD);
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 20; round++) {
      known.push(await millisecondsOf(() => hasher.verify('wrong', stored)));
      unknown.push(await millisecondsOf(() => hasher.verify('wrong', undefined)));
    }
    // Loose, for a busy machine; without the work the ratio is below 0.01.
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it('faults on a stored value that is no hash', async () => {
    await expect(hasher.verify(PASSWORD, 'plain text')).rejects.toThrow(/./);
  });

  it('refuses with Retry-After when 64 wait already, and recovers', async () => {
    const accepted = availableParallelism() + 1 + 64;
    const results = await Promise.allSettled(
      Array.from({ length: accepted + 3 }, () => hasher.verify('x', undefined)),
    );
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refusals).toHaveLength(3);
    for (const error of refusals) {
      expect(error).toBeInstanceOf(HashQueueFullError);
      expect(error).toMatchObject({ code: 'ERR_OVERLOADED', headers: { 'Retry-After': '1' } });
    }
    expect((await hasher.verify('x', undefined)).ok).toBe(false);
  });
});

async function millisecondsOf(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}
