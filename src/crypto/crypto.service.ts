import { type Transform } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AccessTokenSigner, type AccessTokenExpectations, type SignAccessToken } from './access-token.js';
import { type AccessTokenClaims } from './access-token-claims.js';
import { type BlindIndexColumn } from './blind-index.js';
import { decryptRange, type EnvelopeReader } from './decrypt-range.js';
import { decryptStream } from './decrypt-stream.js';
import { encryptStream } from './encrypt-stream.js';
import { type EncryptionContext } from './encryption-context.js';
import { keyIdOf } from './envelope.js';
import { decodeText, encodeText, envelopeOf, textOf } from './envelope-text.js';
import { checkDecryptionKey, checkEncryptionKey, checkOpeningKeyPair } from './key-checks.js';
import { KeyStore } from './key-store.js';
import { deriveToken, digestToken, randomToken } from './opaque-token.js';
import { PasswordHasher } from './password-hasher.js';
import { digestText, repeatedDigest } from './repeated-digest.js';
import { recipientKeyIdOf } from './sealed-box.js';
import { type SealingInfo, type SealingPublicKey } from './sealing-key.js';
import { signatureKeyIdOf, signMessage, verifySignature } from './signature.js';
import { startDecryption, startEncryption } from './start-message.js';
import { MESSAGE_PREFIX_BYTES } from './symmetric-key.js';

/**
 * All cryptography a feature needs. It says what a value is for and belongs to, never an algorithm or a key.
 * ```ts
 * const context = { purpose: 'contacts', owner: userId, table: 'contacts', row: contactId };
 * const envelope = await crypto.encrypt(Buffer.from(JSON.stringify(contact)), context); // store it
 * const plaintext = await crypto.decrypt(envelope, context); // the same context, or DecryptionError
 * ```
 */
@Injectable()
export class CryptoService {
  constructor(
    private readonly keyStore: KeyStore,
    private readonly passwordHasher: PasswordHasher,
    private readonly accessTokens: AccessTokenSigner,
  ) {}

  /**
   * Encrypts under the primary key of the context's purpose and owner.
   * @param context authenticated, not stored: all that the value must not be separated from, row and version too
   * @returns an envelope, drawn in `envelope.ts`: 82 bytes more, under 16 KiB (50 with XAES-256-GCM)
   * @throws TypeError when a context entry holds a lone surrogate
   */
  async encrypt(plaintext: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    const key = checkEncryptionKey(await this.keyStore.encryptionKey(context), context);
    return key.encrypt(plaintext, context);
  }

  /**
   * Decrypts under exactly the key that the envelope names; no other is tried.
   * @param context the same entries as in `encrypt`, in any order
   * @throws DecryptionError for everything: not an envelope, unknown or disabled key, a key of another
   * purpose or owner, another context, changed bytes. It never returns its input.
   */
  async decrypt(envelope: Uint8Array, context: EncryptionContext): Promise<Buffer> {
    const found = this.keyStore.decryptionKey(keyIdOf(envelope));
    const key = found instanceof Promise ? await found : found;
    return checkDecryptionKey(key, envelope, context).decrypt(envelope, context);
  }

  /** `encrypt` from text to text, `enc.v1.…`, for what takes no bytes. @throws TypeError for a lone surrogate */
  async encryptText(text: string, context: EncryptionContext): Promise<string> {
    return textOf(await this.encrypt(encodeText(text), context));
  }

  /** @throws DecryptionError for everything that `encryptText` didn't give for this context: see `decrypt` */
  async decryptText(encrypted: string, context: EncryptionContext): Promise<string> {
    const envelope = envelopeOf(encrypted);
    return decodeText(await this.decrypt(envelope, context), keyIdOf(envelope));
  }

  /** Any length of plaintext in, an envelope out. @throws TypeError when the key is not of COBBLESTONE-256 */
  async encryptStream(context: EncryptionContext): Promise<Transform> {
    return encryptStream(await startEncryption(this.keyStore, context));
  }

  /** Its plaintext, authenticated. A missing end shows at the end: when it fails, throw all of it away. */
  decryptStream(context: EncryptionContext): Transform {
    return decryptStream(MESSAGE_PREFIX_BYTES, startDecryption(this.keyStore, context));
  }

  /** A slice of the plaintext without reading the rest: see `decryptRange` for what that can't show. */
  decryptRange(envelope: EnvelopeReader, start: number, end: number, context: EncryptionContext) {
    return decryptRange(MESSAGE_PREFIX_BYTES, startDecryption(this.keyStore, context), envelope, start, end);
  }

  /**
   * The same plaintext under the key that is primary now, or `undefined` when it is under that one already.
   * A purpose with one key a value has no primary: its values get a new key each time. @throws DecryptionError
   */
  async rewrap(envelope: Uint8Array, context: EncryptionContext): Promise<Buffer | undefined> {
    // Decrypting first costs little, and no key is made for what can't be read.
    const plaintext = await this.decrypt(envelope, context);
    try {
      const key = checkEncryptionKey(await this.keyStore.encryptionKey(context), context);
      return key.id === keyIdOf(envelope) ? undefined : key.encrypt(plaintext, context);
    } finally {
      plaintext.fill(0);
    }
  }

  /** What others seal to, so that only this owner can open it. */
  async sealingPublicKey(owner: string): Promise<SealingPublicKey> {
    return (await this.keyStore.sealingKeyPair(owner)).publicKey;
  }

  /**
   * Encrypts to a public key, with HPKE (RFC 9180). It says nothing about who did it.
   * @param publicKey of `sealingPublicKey`, or a user's own by `SealingPublicKey.import`
   * @param info names what is sealed and for whom; authenticated, not stored
   * @returns a sealed box, 1147 bytes longer than the plaintext (59 with X25519); drawn in `sealed-box.ts`
   */
  seal(publicKey: SealingPublicKey, plaintext: Uint8Array, info: SealingInfo): Promise<Buffer> {
    return publicKey.seal(plaintext, info);
  }

  /** @throws DecryptionError for everything, a box that is sealed to another owner included */
  async open(box: Uint8Array, owner: string, info: SealingInfo): Promise<Buffer> {
    const pair = await this.keyStore.openingKeyPair(recipientKeyIdOf(box));
    return checkOpeningKeyPair(pair, box, owner).open(box, info);
  }

  /** Signs with the purpose's primary key, Ed25519: 74 bytes, drawn in `signature.ts`. */
  async sign(message: Uint8Array, purpose: string): Promise<Buffer> {
    return signMessage(await this.keyStore.signatureKey(purpose), message, purpose);
  }

  /** @throws InvalidSignatureError for everything: nothing to forget to look at */
  async verify(message: Uint8Array, signature: Uint8Array, purpose: string): Promise<void> {
    const key = await this.keyStore.signatureVerificationKey(purpose, signatureKeyIdOf(signature));
    verifySignature(key, message, signature, purpose);
  }

  /** 20 bytes to find a value by: equal for equal ones of an owner, table and column, whatever their case. */
  async blindIndex(value: string, where: BlindIndexColumn): Promise<Buffer> {
    const [primary] = await this.keyStore.blindIndexKeys(where.owner);
    return primary.index(value, where.table, where.column);
  }

  /** Every index the value may be stored under, for `IN (…)`: more than one while the index key is rotated. */
  async blindIndexCandidates(value: string, where: BlindIndexColumn): Promise<Buffer[]> {
    const keys = await this.keyStore.blindIndexKeys(where.owner);
    return keys.map((key) => key.index(value, where.table, where.column));
  }

  /** Argon2id (RFC 9106), the hash encrypted under the context's key, the pepper. @throws HashQueueFullError */
  async hashPassword(password: string, context: EncryptionContext): Promise<Buffer> {
    return this.encrypt(Buffer.from(await this.passwordHasher.hash(password), 'utf8'), context);
  }

  /**
   * @param stored what `hashPassword` gave, or `undefined` for an unknown user: the same work, and no
   * @throws HashQueueFullError, and DecryptionError for a stored hash that is damaged or not the user's
   */
  async verifyPassword(password: string, stored: Uint8Array | undefined, context: EncryptionContext) {
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

  /**
   * The token that follows another, always the same under one key and to be told by nobody without it.
   * @param keyId of an earlier answer, or else the primary key derives; `undefined` is given when it is gone
   */
  async deriveToken(prefix: string, from: string, { purpose, keyId }: { purpose: string; keyId?: string }) {
    const { keyStore } = this;
    const key = await (keyId === undefined ? keyStore.macKey(purpose) : keyStore.macKeyById(purpose, keyId));
    return key && { token: deriveToken(key, prefix, from), keyId: key.id };
  }

  /** SHA-256 in base64url, for cache keys and ETags. A `source` that mostly gives the same text makes it cheaper. */
  digest(text: string, source?: object): string {
    return source ? repeatedDigest(source, text) : digestText(text);
  }

  /** Signs JWTs (RFC 9068, ES256) with the token key that is primary now, and without the key store from then on. */
  accessTokenSigner(): Promise<SignAccessToken> {
    return this.accessTokens.ready();
  }

  /** @throws InvalidTokenError for whatever is wrong with the token */
  verifyAccessToken(token: string, expectations: AccessTokenExpectations): Promise<AccessTokenClaims> {
    return this.accessTokens.verify(token, expectations);
  }

  /** Whether a token that was verified before names a key that may still verify. */
  isAccessTokenKeyUsable(token: string): Promise<boolean> {
    return this.accessTokens.isKeyUsable(token);
  }
}
