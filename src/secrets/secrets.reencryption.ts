import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { EncryptedRowsRegistry, reencryptValues, type RetiredKey } from '../keys/encrypted-rows.js';
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

  async #reencrypt(key: RetiredKey, run: JobRun): Promise<number> {
    return reencryptValues(this.database, key, run, await this.repository.find(key.id, run.limit), {
      idOf,
      renew: (row) =>
        this.crypto.rewrap(row.ciphertext, encryptionContext(row.owner_id, row.secret_id, row.version)),
      replace: (row, ciphertext) => this.repository.replace(row, { ciphertext, keyId: keyIdOf(ciphertext) }),
    });
  }
}

function idOf({ secret_id: secretId, version }: EncryptedVersion): string {
  return `${secretId} version ${version}`;
}
