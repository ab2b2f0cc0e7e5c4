import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { PasswordListUnavailableError } from './errors.js';
import { PasswordListFile } from './password-list-file.js';
import { entryOf } from './password-list-format.js';
import { listedForm } from './password-shape.js';

/** Common and leaked passwords and phrases; made by `lists/make-common-passwords.ts`. */
const OWN_LIST = new URL('../../lists/common-passwords.bin', import.meta.url);

/** The passwords that nobody may choose: our own list, and a larger one where the configuration names it. */
@Injectable()
export class PasswordList {
  constructor(
    private readonly crypto: CryptoService,
    private readonly config: AppConfig,
  ) {}

  /** @throws {StartError} when a list can't be read: users could choose no passwords */
  async check(): Promise<void> {
    for (const path of this.#paths) {
      await holdsAny(path, []).catch((cause: unknown) => {
        throw new StartError(faultOf(path, errorCode(cause)), { cause });
      });
    }
  }

  /**
   * Whether one of them is listed. A list that can't be read lets no password pass.
   *
   * @throws {PasswordListUnavailableError}
   */
  async includesAny(passwords: readonly string[]): Promise<boolean> {
    const forms = new Set(passwords.map(listedForm));
    const entries = Array.from(forms, (form) => entryOf(Buffer.from(this.crypto.digest(form), 'base64url')));
    try {
      for (const path of this.#paths) if (await holdsAny(path, entries)) return true;
    } catch (error) {
      throw new PasswordListUnavailableError(error);
    }
    return false;
  }

  get #paths(): readonly (string | URL)[] {
    const { passwordListFile } = this.config.auth;
    return passwordListFile === undefined ? [OWN_LIST] : [OWN_LIST, passwordListFile];
  }
}

function faultOf(path: string | URL, code = 'damaged'): string {
  return typeof path === 'string'
    ? `PASSWORD_LIST_FILE names ${path}, which is no list that can be read (${code}): make one with \`npm run cli -- passwords pack\` or unset it`
    : `${fileURLToPath(path)} is no list that can be read (${code}): put back the one of this release`;
}

/** Passwords are seldom chosen: opening the file each time costs nothing beside the hash, and leaves nothing open. */
async function holdsAny(path: string | URL, entries: readonly number[]): Promise<boolean> {
  const file = await PasswordListFile.open(path);
  try {
    for (const entry of entries) if (await file.has(entry)) return true;
    return false;
  } finally {
    await file.close();
  }
}
