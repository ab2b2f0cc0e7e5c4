import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { hash, type Options, verify } from '@node-rs/argon2';
import { AppError } from '../common/app-error.js';
import { BoundedQueue } from './bounded-queue.js';

/** RFC 9106 Argon2id v19 with OWASP's first choice for 19 MiB: 10 ms of one core. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const TAG_BYTES = 32;
const SALT_BYTES = 16;
/** The PHC string's parameters, as the library writes them. Argon2id v19 is its default. */
const PHC_PARAMETERS = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$`;
const PHC_LENGTH = PHC_PARAMETERS.length + base64Length(SALT_BYTES) + 1 + base64Length(TAG_BYTES);
const HASH_OPTIONS: Options = {
  memoryCost: MEMORY_KIB,
  timeCost: PASSES,
  parallelism: LANES,
  outputLen: TAG_BYTES,
};
const QUEUE_BOUNDS = {
  /** One more than cores: a core whose hash is done goes on while the event loop waits for a commit's fsync. */
  concurrency: availableParallelism() + 1,
  /** At 10 ms a hash a full queue is under a second of waiting a core, so `Retry-After: 1` is honest. */
  maxWaiting: 64,
  /** Halves what a login costs beside its hash. The first of a group waits 90 ms on two cores, as long as in the queue. */
  groupSize: 16,
};

/** More passwords wait to be hashed than the server gets through in about a second. */
export class HashQueueFullError extends AppError {
  override readonly name = 'HashQueueFullError';
  override readonly headers = { 'Retry-After': '1' };

  constructor() {
    super('ERR_OVERLOADED', { detail: 'too many passwords wait to be checked, try again' });
  }
}

export interface PasswordVerification {
  readonly ok: boolean;
  /** The password is right and its hash has other parameters than a new one: store `hash(password)`. */
  readonly needsRehash: boolean;
}

/** Argon2id (RFC 9106) in PHC strings, through a bounded queue. Passwords are NFKC-normalised here, once. */
@Injectable()
export class PasswordHasher {
  readonly #queue = new BoundedQueue(QUEUE_BOUNDS, () => new HashQueueFullError());
  /** A hash of no password: a random tag. Verifying against it costs what a real one costs. */
  readonly #unknownUserHash = phc(randomBytes(SALT_BYTES), randomBytes(TAG_BYTES));

  /** @throws HashQueueFullError */
  hash(password: string): Promise<string> {
    const options = { ...HASH_OPTIONS, salt: randomBytes(SALT_BYTES) };
    return this.#queue.run(() => hash(normalise(password), options));
  }

  /**
   * Without a stored hash the same work is done and the answer is no, so that time doesn't tell who exists.
   *
   * @throws HashQueueFullError
   */
  async verify(password: string, storedHash: string | undefined): Promise<PasswordVerification> {
    const matches = await this.#queue.run(() =>
      verify(storedHash ?? this.#unknownUserHash, normalise(password)),
    );
    const ok = matches && storedHash !== undefined;
    return { ok, needsRehash: ok && !hasCurrentParameters(storedHash) };
  }
}

/** NFKC, because one person's keyboards disagree on how 'é' is composed; then UTF-8 (SP 800-63B-4, 3.1.1.2). */
function normalise(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'), 'utf8');
}

function hasCurrentParameters(storedHash: string): boolean {
  return storedHash.startsWith(PHC_PARAMETERS) && storedHash.length === PHC_LENGTH;
}

function phc(salt: Buffer, tag: Buffer): string {
  return `${PHC_PARAMETERS}${unpaddedBase64(salt)}$${unpaddedBase64(tag)}`;
}

function unpaddedBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

function base64Length(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}
