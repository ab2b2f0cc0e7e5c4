import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { PasswordListFile } from './password-list-file.js';
import { entryOf, listedForm } from './password-list-format.js';

/** Common and leaked passwords; made by `lists/make-common-passwords.ts`. */
const OWN_LIST = new URL('../../lists/common-passwords.bin', import.meta.url);

/** The passwords that nobody may choose: our own list, and a larger one where the configuration names it. */
@Injectable()
export class PasswordList {
  constructor(
    private readonly crypto: CryptoService,
    private readonly config: AppConfig,
  ) {}

  /** A list that can't be read lets no password pass: it throws. */
  async includes(password: string): Promise<boolean> {
    const { passwordListFile } = this.config.auth;
    const paths = passwordListFile === undefined ? [OWN_LIST] : [OWN_LIST, passwordListFile];
    const entry = entryOf(Buffer.from(this.crypto.digest(listedForm(password)), 'base64url'));
    for (const path of paths) if (await isListed(path, entry)) return true;
    return false;
  }
}

/** Passwords are seldom chosen: opening the file each time costs nothing beside the hash, and leaves nothing open. */
async function isListed(path: string | URL, entry: number): Promise<boolean> {
  const file = await PasswordListFile.open(path);
  try {
    return await file.has(entry);
  } finally {
    await file.close();
  }
}
