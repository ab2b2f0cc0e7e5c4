import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CryptoService } from '../crypto/crypto.service.js';
import { type EncryptionContext } from '../crypto/encryption-context.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { EncryptedRowsRegistry, reencryptBatch, type RetiredKey } from '../keys/encrypted-rows.js';
import { SYSTEM_OWNER } from '../keys/key-purposes.js';
import { type JobRun, UnmovableError } from '../keys/job-run.js';
import { EMAIL_INDEX, emailContext, passwordContext } from './encryption-contexts.js';
import { type EncryptedUserColumn, UserCiphertextsRepository } from './user-ciphertexts.repository.js';

/** Brings users under new keys. A password hash is encrypted anew as it is: nobody needs the password for it. */
@Injectable()
export class UsersReencryption implements OnModuleInit {
  constructor(
    private readonly registry: EncryptedRowsRegistry,
    private readonly repository: UserCiphertextsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.registry.register({
      purpose: 'email',
      count: (key) => this.repository.count('email', key.id),
      reencrypt: (key, run) => this.#reencrypt('email', emailContext, key, run),
    });
    this.registry.register({
      purpose: 'password-pepper',
      count: (key) => this.repository.count('password', key.id),
      reencrypt: (key, run) => this.#reencrypt('password', passwordContext, key, run),
    });
    // The addresses of all users are indexed under the system's key; a user's own key indexes their data.
    this.registry.register({
      purpose: 'blind-index',
      count: async (key) => (key.ownerId === SYSTEM_OWNER ? this.repository.countIndexes(key.version) : 0),
      reencrypt: async (key, run) => (key.ownerId === SYSTEM_OWNER ? this.#reindex(key, run) : 0),
    });
  }

  async #reencrypt(
    column: EncryptedUserColumn,
    contextOf: (userId: string) => EncryptionContext,
    key: RetiredKey,
    run: JobRun,
  ): Promise<number> {
    return reencryptBatch(this.database, key, run, await this.repository.find(column, key.id, run.limit), {
      renew: (row) => this.crypto.rewrap(row.ciphertext, contextOf(row.id)),
      replace: (row, ciphertext) =>
        this.repository.replace(column, row, { ciphertext, keyId: keyIdOf(ciphertext) }),
    });
  }

  async #reindex(key: RetiredKey, run: JobRun): Promise<number> {
    const collisions: { readonly id: string; readonly otherId: string }[] = [];
    const found = await reencryptBatch(
      this.database,
      key,
      run,
      await this.repository.findIndexes(key.version, run.limit),
      {
        renew: async (row) => {
          const email = await this.crypto.decrypt(row.email_ciphertext, emailContext(row.id));
          const index = await this.crypto.blindIndex(email.toString('utf8'), EMAIL_INDEX);
          return index.equals(row.email_index) ? undefined : index;
        },
        replace: async (row, index) => {
          const otherId = await this.repository.replaceIndex(row, index);
          if (otherId !== undefined) collisions.push({ id: row.id, otherId });
        },
      },
    );
    for (const { id, otherId } of collisions) {
      const error = new UnmovableError(`users ${id} and ${otherId} have the same e-mail address`);
      run.skip({ id, keyId: key.id, error });
    }
    return found;
  }
}
