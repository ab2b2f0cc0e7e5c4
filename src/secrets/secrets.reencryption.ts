import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { EncryptedRowsRegistry, KeyNotRetiredError, type RetiredKey } from '../keys/encrypted-rows.js';
import { type JobRun } from '../keys/job-run.js';
import { type EncryptedVersion, SecretCiphertextsRepository } from './secret-ciphertexts.repository.js';
import { encryptionContext } from './secret.js';

/** Gives versions of secrets new data keys, those too that nobody can read any more: they stay stored. */
@Injectable()
export class SecretsReencryption implements OnModuleInit {
  constructor(
    private readonly registry: EncryptedRowsRegistry,
    private readonly repository: SecretCiphertextsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.registry.register({
      purpose: 'secret',
      count: (key) => this.repository.count(key.id),
      reencrypt: (key, run) => this.#reencrypt(key, run),
    });
  }

  /** A data key has one version. Its new key is made in the transaction, so no key is left without a value. */
  async #reencrypt(key: RetiredKey, run: JobRun): Promise<number> {
    const batch = run.next(await this.repository.find(key.id, run.limit), idOf);
    for (const row of batch) await run.attempt(idOf(row), key.id, () => this.#renew(row, key));
    return batch.length;
  }

  async #renew(row: EncryptedVersion, key: RetiredKey): Promise<void> {
    const context = encryptionContext(row.owner_id, row.secret_id, row.version);
    try {
      await this.database.transaction(async () => {
        const ciphertext = await this.crypto.rewrap(row.ciphertext, context);
        if (!ciphertext) throw new KeyNotRetiredError(key);
        const isReplaced = await this.repository.replace(row, { ciphertext, keyId: keyIdOf(ciphertext) });
        if (!isReplaced) throw new VersionChangedError();
      });
    } catch (error) {
      if (!(error instanceof VersionChangedError)) throw error;
    }
  }
}

function idOf({ secret_id: secretId, version }: EncryptedVersion): string {
  return `${secretId} version ${version}`;
}

/** Undoes the transaction, and with it the new key. */
class VersionChangedError extends Error {}
