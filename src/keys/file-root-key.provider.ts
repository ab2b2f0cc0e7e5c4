import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../common/error-code.js';
import { isPlaceholderKey } from '../common/placeholder-key.js';
import { StartError } from '../common/start-error.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { type SymmetricKey } from '../crypto/symmetric-key.js';
import { importRootKey, ROOT_KEY_BYTES } from './root-key.js';
import { RootKeyProvider } from './root-key-provider.js';

/** Of a mode, with set-user-id, set-group-id and the sticky bit. */
const MODE_BITS = 0o7777;
/** Reading and writing: one mounted for reading only has less. */
const OWNER_ONLY = 0o600;
const SET_FILE = 'set ROOT_KEY_FILE to the file of this deployment';

/** The root key as 32 bytes in a file that only its owner can read (mode 0600). */
export class FileRootKeyProvider extends RootKeyProvider {
  readonly #key: SymmetricKey;

  private constructor(key: SymmetricKey) {
    super();
    this.#key = key;
  }

  /**
   * @throws {StartError} naming the file when it is missing, no file of 32 random bytes, or has a mode wider than 0600
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

/** Opens before it looks, so that what is checked is what is read; and waits for nobody, as a pipe would make it. */
function readRootKey(file: string): Buffer {
  const descriptor = openToRead(file);
  const raw = Buffer.alloc(ROOT_KEY_BYTES);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) {
      throw new StartError(`root key file ${file} is no regular file: ${SET_FILE}`);
    }
    if (status.size !== ROOT_KEY_BYTES || readSync(descriptor, raw) !== ROOT_KEY_BYTES) {
      throw new StartError(
        `root key file ${file} is ${status.size} bytes, want ${ROOT_KEY_BYTES}: restore it from its backup`,
      );
    }
    refuseMode(file, status.mode & MODE_BITS, raw);
    if (isPlaceholderKey(raw)) {
      throw new StartError(`root key file ${file} holds a placeholder, want ${ROOT_KEY_BYTES} random bytes`);
    }
    return raw;
  } catch (error) {
    raw.fill(0);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function openToRead(file: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new StartError(
      `root key file ${file} cannot be read (${errorCode(error) ?? 'unreadable'}): ${SET_FILE}`,
      { cause: error },
    );
  }
}

function refuseMode(file: string, mode: number, raw: Buffer): void {
  // Windows has no such mode bits; there the directory's access list protects the file.
  if (process.platform === 'win32' || (mode & ~OWNER_ONLY) === 0) return;
  const { id } = importRootKey(raw);
  throw new StartError(
    `root key file ${file} has mode ${mode.toString(8)}, want 600: run \`chmod 600 ${file}\`, and change root key ${id} if others could read it`,
  );
}
