import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { importRootKey, ROOT_KEY_BYTES } from './root-key.js';
import { RootKeyProvider } from './root-key-provider.js';
import { syncDirectory } from './sync-directory.js';

/** The root key as 32 bytes in a file that only its owner can read (mode 0600). */
export class FileRootKeyProvider extends RootKeyProvider {
  readonly #key: SymmetricKey;

  private constructor(key: SymmetricKey) {
    super();
    this.#key = key;
  }

  /**
   * @throws {StartError} naming the file when it is missing, has another length or is readable by others
   */
  static load(file: string): FileRootKeyProvider {
    return new FileRootKeyProvider(importRootKey(readRootKey(file)));
  }

  /** As `load`, but a file that does not exist is none. */
  static loadIfPresent(file: string): FileRootKeyProvider | undefined {
    try {
      return FileRootKeyProvider.load(file);
    } catch (error) {
      if (error instanceof StartError && errorCode(error.cause) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Makes a new root key. An existing file is kept, also when another process makes it just now.
   *
   * @returns false when the file existed
   */
  static generate(file: string): boolean {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${randomBytes(6).toString('hex')}`;
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      const raw = randomBytes(ROOT_KEY_BYTES);
      writeSync(descriptor, raw);
      raw.fill(0);
      fsyncSync(descriptor);
      // A link fails where a rename would replace: the first root key of a deployment is its only one.
      linkSync(temporary, file);
      return true;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      return false;
    } finally {
      closeSync(descriptor);
      unlinkSync(temporary);
      syncDirectory(dirname(file));
    }
  }

  override get id(): string {
    return this.#key.id;
  }

  override async wrap(rawKey: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#key.encrypt(rawKey, context);
  }

  override async unwrap(wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    return this.#key.decrypt(wrapped, context);
  }
}

function readRootKey(file: string): Buffer {
  let raw: Buffer;
  let mode: number;
  try {
    mode = statSync(file).mode & 0o777;
    raw = readFileSync(file);
  } catch (error) {
    throw new StartError(
      `root key file ${file} cannot be read (${errorCode(error) ?? 'unreadable'}): set ROOT_KEY_FILE to the file of this deployment`,
      { cause: error },
    );
  }
  // Windows has no such mode bits; there the directory's access list protects the file.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    raw.fill(0);
    throw new StartError(
      `root key file ${file} has mode ${mode.toString(8)}, want 600: run \`chmod 600 ${file}\``,
    );
  }
  if (raw.length !== ROOT_KEY_BYTES) {
    const { length } = raw;
    raw.fill(0);
    throw new StartError(`root key file ${file} is ${length} bytes, want ${ROOT_KEY_BYTES}`);
  }
  return raw;
}
