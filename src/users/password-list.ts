import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { PasswordListFile } from './password-list-file.js';
import { entryOf, listedForm } from './password-list-format.js';

/** Common and leaked passwords; made by `lists/make-common-passwords.ts`. */
const OWN_LIST = new URL('../../lists/common-passwords.bin', import.meta.url);

/** The passwords that nobody may choose: our own list, and a larger one where the configuration names it. */
@Injectable()
export class PasswordList implements OnApplicationShutdown {
  #files: Promise<PasswordListFile[]> | undefined;

  constructor(
    private readonly crypto: CryptoService,
    private readonly config: AppConfig,
  ) {}

  /** Opened at its first use. A list that can't be read lets no password pass: it throws. */
  async includes(password: string): Promise<boolean> {
    this.#files ??= this.#open();
    const entry = entryOf(Buffer.from(this.crypto.digest(listedForm(password)), 'base64url'));
    for (const file of await this.#files) if (await file.has(entry)) return true;
    return false;
  }

  async onApplicationShutdown(): Promise<void> {
    const files = await this.#files?.catch(() => []);
    await Promise.all(files?.map((file) => file.close()) ?? []);
  }

  #open(): Promise<PasswordListFile[]> {
    const { passwordListFile } = this.config.auth;
    const paths = passwordListFile === undefined ? [OWN_LIST] : [OWN_LIST, passwordListFile];
    const files = Promise.all(paths.map((path) => PasswordListFile.open(path)));
    files.catch(() => {
      this.#files = undefined;
    });
    return files;
  }
}
