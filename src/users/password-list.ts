import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { PasswordListFile } from './password-list-file.js';
import { entryOf, listedForm } from './password-list-format.js';

/** Common and leaked passwords and phrases; made by `lists/make-common-passwords.ts`. */
const OWN_LIST = new URL('../../lists/common-passwords.bin', import.meta.url);

/** The passwords that nobody may choose: our own list, and a larger one where the configuration names it. */
@Injectable()
export class PasswordList {
  constructor(
    private readonly crypto: CryptoService,
    private readonly config: AppConfig,
  ) {}

  /** Whether one of them is listed. A list that can't be read lets no password pass: it throws. */
  async includesAny(passwords: readonly string[]): Promise<boolean> {
    const { passwordListFile } = this.config.auth;
    const paths = passwordListFile === undefined ? [OWN_LIST] : [OWN_LIST, passwordListFile];
    const forms = new Set(passwords.map(listedForm));
    const entries = Array.from(forms, (form) => entryOf(Buffer.from(this.crypto.digest(form), 'base64url')));
    for (const path of paths) if (await holdsAny(path, entries)) return true;
    return false;
  }
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
