import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { EncryptedRowsRegistry, reencryptBatch, type RetiredKey } from '../keys/encrypted-rows.js';
import { type JobRun, UnmovableError } from '../keys/job-run.js';
import { ContactCiphertextsRepository } from './contact-ciphertexts.repository.js';
import { encryptionContext, indexContext, parseDetails } from './contact.js';

/** Brings contacts and their search indexes under new keys; version and times stay as the user knows them. */
@Injectable()
export class ContactsReencryption implements OnModuleInit {
  constructor(
    private readonly registry: EncryptedRowsRegistry,
    private readonly repository: ContactCiphertextsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.registry.register({
      purpose: 'contacts',
      count: (key) => this.repository.count(key.id),
      reencrypt: (key, run) => this.#reencrypt(key, run),
    });
    this.registry.register({
      purpose: 'blind-index',
      count: (key) => this.repository.countIndexes(key),
      reencrypt: (key, run) => this.#reindex(key, run),
    });
  }

  async #reencrypt(key: RetiredKey, run: JobRun): Promise<number> {
    return reencryptBatch(this.database, key, run, await this.repository.find(key.id, run.limit), {
      renew: (row) => this.crypto.rewrap(row.ciphertext, encryptionContext(row)),
      replace: (row, ciphertext) => this.repository.replace(row, { ciphertext, keyId: keyIdOf(ciphertext) }),
    });
  }

  async #reindex(key: RetiredKey, run: JobRun): Promise<number> {
    return reencryptBatch(this.database, key, run, await this.repository.findIndexes(key, run.limit), {
      renew: async (row) => {
        const { email } = parseDetails(await this.crypto.decrypt(row.ciphertext, encryptionContext(row)));
        if (email === undefined)
          throw new UnmovableError(`contact ${row.id} has an index but no e-mail address`);
        const index = await this.crypto.blindIndex(email, indexContext(row.owner_id));
        return row.email_index && index.equals(row.email_index) ? undefined : index;
      },
      replace: (row, index) => this.repository.replaceIndex(row, index),
    });
  }
}
