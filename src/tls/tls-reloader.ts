import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { type TlsLog } from './tls-log.js';
import { type TlsMaterial } from './tls-material.js';

/** A bad pair that stood still for so many looks is no pair that is being written. */
const LOOKS_BEFORE_REPORT = 2;

export interface TlsReloaderOptions {
  /** All that `load` reads. */
  readonly files: readonly string[];
  /** Reads and checks the files. */
  readonly load: (before?: TlsMaterial) => Promise<TlsMaterial>;
  /** Serves what was loaded. */
  readonly apply: (material: TlsMaterial, before: TlsMaterial) => void;
  readonly log: TlsLog;
}

/**
 * Serves new TLS files once they are good, and goes on with the old ones until then.
 *
 * It looks instead of being told: a watch on a file follows the inode, so it misses a rename over it, and a
 * watch on its directory misses a symbolic link swapped further up, as Kubernetes and certbot do. A look
 * costs one stat(2) a file. A good pair is served at the first look; a bad one is tried again at every
 * look, since its other half may be on its way, and reported once, when it stands still.
 */
export class TlsReloader {
  #reportedDigest: string | undefined;
  #refusedLooks = 0;
  #running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: TlsReloaderOptions,
    private material: TlsMaterial,
    private signature: string,
    private digest: string,
  ) {}

  /**
   * Loads the files for the first time. What changes meanwhile is noticed at the next look.
   *
   * @throws StartError naming the file at fault
   */
  static async create(options: TlsReloaderOptions): Promise<TlsReloader> {
    const signature = await signatureOf(options.files);
    const digest = await digestOf(options.files);
    return new TlsReloader(options, await options.load(), signature, digest);
  }

  get current(): TlsMaterial {
    return this.material;
  }

  /** Looks whether a file has changed; to be called often. */
  look(): Promise<void> {
    return this.#afterOthers(() => this.#look(false));
  }

  /** Reads the files whether they seem changed or not, and says what came of it. */
  reload(): Promise<void> {
    return this.#afterOthers(() => this.#look(true));
  }

  #afterOthers(work: () => Promise<void>): Promise<void> {
    this.#running = this.#running.then(work, work);
    return this.#running;
  }

  async #look(isAsked: boolean): Promise<void> {
    const signature = await signatureOf(this.options.files);
    const isStill = signature === this.signature;
    if (isStill && this.#refusedLooks === 0 && !isAsked) return;
    this.signature = signature;
    const digest = await digestOf(this.options.files);
    if (digest === this.digest) {
      this.#refusedLooks = 0;
      this.#reportedDigest = undefined;
      if (isAsked) this.options.log.log({}, 'the TLS files are those that are served');
      return;
    }
    try {
      const before = this.material;
      const material = await this.options.load(before);
      this.options.apply(material, before);
      this.material = material;
      this.digest = digest;
      this.#refusedLooks = 0;
      this.#reportedDigest = undefined;
    } catch (error) {
      this.#refusedLooks = isStill ? this.#refusedLooks + 1 : 1;
      if (isAsked || this.#refusedLooks > LOOKS_BEFORE_REPORT) this.#report(error, digest);
    }
  }

  #report(error: unknown, digest: string): void {
    if (digest === this.#reportedDigest) return;
    this.#reportedDigest = digest;
    const reason = error instanceof StartError ? error.message : 'an unexpected fault';
    const fields = error instanceof StartError ? {} : { err: error };
    this.options.log.error(fields, `new TLS files are refused, the old ones go on serving: ${reason}`);
  }
}

/** Changes whenever what the paths lead to does, through any symbolic link on the way. */
async function signatureOf(files: readonly string[]): Promise<string> {
  const signatures = files.map(async (file) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(':');
    } catch (error) {
      return errorCode(error) ?? 'unknown';
    }
  });
  return (await Promise.all(signatures)).join(' ');
}

/** The same for files that were touched or written anew with the same contents. */
async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const contents = await readFile(file).catch((error: unknown) => errorCode(error) ?? 'unknown');
    hash.update(`${contents.length}:`).update(contents);
  }
  return hash.digest('base64');
}
