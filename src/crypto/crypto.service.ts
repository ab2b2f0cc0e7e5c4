import { hash } from 'node:crypto';
import { type Transform } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AccessTokenSigner, type AccessTokenExpectations } from './access-token.js';
import { type AccessTokenClaims } from './access-token-claims.js';
import { type ChunkCipher } from './chunk-cipher.js';
import { decryptRange, type EnvelopeReader } from './decrypt-range.js';
import { decryptStream } from './decrypt-stream.js';
import { encryptStream } from './encrypt-stream.js';
import { type EncryptionContext } from './encryption-context.js';
import { keyIdOf } from './envelope.js';
import { DecryptionError } from './errors.js';
import { KeyStore } from './key-store.js';
import { digestToken, randomToken } from './opaque-token.js';
import { PasswordHasher, type PasswordVerification } from './password-hasher.js';
import { MESSAGE_PREFIX_BYTES, type SymmetricKey } from './symmetric-key.js';

/** Which index a value is looked up in. Indexes of other owners, tables and columns can't be compared with it. */
export interface BlindIndexColumn {
  readonly owner: string;
  readonly table: string;
  readonly column: string;
}

/**
 * All cryptography a feature needs. A feature says what a value is for and what it belongs to; it never
 * names an algorithm, a key or a nonce.
 *
 * ```ts
 * const context = { purpose: 'contact', owner: userId, table: 'contacts', row: contactId };
 * const envelope = await crypto.encrypt(Buffer.from(JSON.stringify(contact)), context); // store it
 * const plaintext = await crypto.decrypt(envelope, context); // the same context, or DecryptionError
 * ```
 */
@Injectable()
export class CryptoService {
  constructor(
    private readonly keyStore: KeyStore,
    private readonly passwordHasher: PasswordHasher,
    private readonly accessTokenSigner: AccessTokenSigner,
  ) {}

  /**
   * Encrypts under the primary key of the context's purpose and owner.
   *
   * @param context every entry is authenticated with the plaintext and none is stored: name all that the
   * value must not be separated from, such as table, column, row and version
   * @returns an envelope, 82 bytes longer than a plaintext under 16 KiB (50 with XAES-256-GCM); its bytes are
   * drawn in `envelope.ts`
   * @throws TypeError when a context entry holds a lone surrogate
   */
  async encrypt(plaintext: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    return (await this.#encryptionKey(context)).encrypt(plaintext, context);
  }

  /**
   * Decrypts under exactly the key that the envelope names; no other is tried.
   *
   * @param context the same entries as in `encrypt`, in any order
   * @throws DecryptionError for everything: not an envelope, unknown or disabled key, a key of another
   * purpose or owner, another context, changed bytes. It never returns its input.
   */
  async decrypt(envelope: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    return (await this.#decryptionKey(keyIdOf(envelope), context)).decrypt(envelope, context);
  }

  /**
   * Plaintext of any length in, an envelope out, with back-pressure and a few chunks of memory. The key is
   * looked up now, so the promise belongs into the transaction that stores what comes out.
   *
   * @throws TypeError when the purpose's keys are not of suite COBBLESTONE-256
   */
  async encryptStream(context: EncryptionContext): Promise<Transform> {
    return encryptStream((await this.#encryptionKey(context)).startEncryption(context));
  }

  /**
   * An envelope in, its plaintext out, as `encrypt` or `encryptStream` with COBBLESTONE-256 made it. Nothing
   * leaves it unauthenticated. A missing end is found out at the end: use what came out only after the
   * stream has ended, and throw it away when it fails, always with a DecryptionError.
   */
  decryptStream(context: EncryptionContext): Transform {
    return decryptStream(MESSAGE_PREFIX_BYTES, (prefix) => this.#startDecryption(prefix, context));
  }

  /**
   * The plaintext from `start` up to but without `end`, less where it ends before, without reading the rest.
   * See `decryptRange` for what a range can't show.
   *
   * @throws RangeError when not 0 ≤ start ≤ end
   * @throws DecryptionError as `decrypt`
   */
  decryptRange(envelope: EnvelopeReader, start: number, end: number, context: EncryptionContext) {
    const startDecryption = (prefix: Uint8Array) => this.#startDecryption(prefix, context);
    return decryptRange(MESSAGE_PREFIX_BYTES, startDecryption, envelope, start, end);
  }

  /**
   * The same plaintext under the key that is primary now, or `undefined` when it is under that one already.
   * A purpose with one key a value has no primary: its values get a new key each time.
   *
   * @throws DecryptionError as `decrypt`
   */
  async rewrap(envelope: Uint8Array, context: EncryptionContext): Promise<Buffer | undefined> {
    // Decrypting first costs little, and no key is made for what can't be read.
    const plaintext = await this.decrypt(envelope, context);
    try {
      const key = await this.#encryptionKey(context);
      return key.id === keyIdOf(envelope) ? undefined : key.encrypt(plaintext, context);
    } finally {
      plaintext.fill(0);
    }
  }

  /**
   * What to store beside an encrypted value so that it can be found again: 20 bytes, equal for equal
   * values of one owner, table and column. Case and Unicode composition don't count.
   */
  async blindIndex(value: string, where: BlindIndexColumn): Promise<Buffer> {
    const [primary] = await this.keyStore.blindIndexKeys(where.owner);
    return primary.index(value, where.table, where.column);
  }

  /** Every index the value may be stored under, for `IN (…)`: more than one while the index key is rotated. */
  async blindIndexCandidates(value: string, where: BlindIndexColumn): Promise<Buffer[]> {
    const keys = await this.keyStore.blindIndexKeys(where.owner);
    return keys.map((key) => key.index(value, where.table, where.column));
  }

  /**
   * Hashes a password with Argon2id (RFC 9106) and encrypts the hash under the context's key, the pepper:
   * a stolen table without the key store can't be searched for passwords.
   *
   * @throws HashQueueFullError when too many wait already
   */
  async hashPassword(password: string, context: EncryptionContext): Promise<Buffer> {
    const phc = await this.passwordHasher.hash(password);
    return this.encrypt(Buffer.from(phc, 'utf8'), context);
  }

  /**
   * @param stored what `hashPassword` gave, or `undefined` for an unknown user: the same work, and no
   * @throws HashQueueFullError when too many wait already
   * @throws DecryptionError when the stored hash is damaged or belongs elsewhere
   */
  async verifyPassword(
    password: string,
    stored: Uint8Array | undefined,
    context: EncryptionContext,
  ): Promise<PasswordVerification> {
    const phc = stored && (await this.decrypt(stored, context));
    return this.passwordHasher.verify(password, phc?.toString('utf8'));
  }

  /** A new opaque token of 256 random bits: `<prefix>_` and 49 characters. Store only its digest. */
  randomToken(prefix: string): string {
    return randomToken(prefix);
  }

  /** The 32 bytes under which a token is stored, or `undefined` when it is none of this prefix. */
  digestToken(prefix: string, token: string): Buffer | undefined {
    return digestToken(prefix, token);
  }

  /** SHA-256 in base64url, for cache keys and ETags. Without a key: it hides nothing that can be guessed. */
  digest(text: string): string {
    return hash('sha256', text, 'base64url');
  }

  /** Signs a JWT (RFC 9068, ES256) with the token key that is primary now. */
  signAccessToken(claims: AccessTokenClaims): Promise<string> {
    return this.accessTokenSigner.sign(claims);
  }

  /** @throws InvalidTokenError for whatever is wrong with the token */
  verifyAccessToken(token: string, expectations: AccessTokenExpectations): Promise<AccessTokenClaims> {
    return this.accessTokenSigner.verify(token, expectations);
  }

  async #encryptionKey(context: EncryptionContext): Promise<SymmetricKey> {
    const key = await this.keyStore.encryptionKey(context);
    // A store that hands out another's key would make data that nobody can decrypt again.
    if (belongsTo(key, context)) return key;
    throw new Error(
      `key ${key.id} is for ${key.purpose} of ${key.owner}, want ${context.purpose} of ${context.owner}`,
    );
  }

  async #decryptionKey(id: string, context: EncryptionContext): Promise<SymmetricKey> {
    const key = await this.keyStore.decryptionKey(id);
    if (key === undefined || !belongsTo(key, context)) throw new DecryptionError(id);
    return key;
  }

  async #startDecryption(prefix: Uint8Array, context: EncryptionContext): Promise<ChunkCipher> {
    return (await this.#decryptionKey(keyIdOf(prefix), context)).startDecryption(prefix, context);
  }
}

function belongsTo(key: SymmetricKey, context: EncryptionContext): boolean {
  return key.purpose === context.purpose && key.owner === context.owner;
}
