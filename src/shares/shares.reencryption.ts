import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import {
  EncryptedRowsRegistry,
  reencryptBatch,
  reencryptValues,
  type RetiredKey,
} from '../keys/encrypted-rows.js';
import { type JobRun } from '../keys/job-run.js';
import { ShareCiphertextsRepository } from './share-ciphertexts.repository.js';
import { dataContext, passphraseContext } from './share.js';

/** Gives shares new data keys, and brings the hashes of their passphrases under a new pepper. */
@Injectable()
export class SharesReencryption implements OnModuleInit {
  constructor(
    private readonly registry: EncryptedRowsRegistry,
    private readonly repository: ShareCiphertextsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.registry.register({
      purpose: 'share',
      count: (key) => this.repository.count('key_id', key.id),
      reencrypt: (key, run) => this.#reencryptData(key, run),
    });
    this.registry.register({
      purpose: 'password-pepper',
      count: (key) => this.repository.count('passphrase_key_id', key.id),
      reencrypt: (key, run) => this.#reencryptPassphrases(key, run),
    });
  }

  async #reencryptData(key: RetiredKey, run: JobRun): Promise<number> {
    return reencryptValues(this.database, key, run, await this.repository.findData(key.id, run.limit), {
      idOf: ({ id }) => id,
      renew: (row) => this.crypto.rewrap(row.ciphertext, dataContext(row.owner_id, row.id)),
      replace: (row, ciphertext) =>
        this.repository.replaceData(row, { ciphertext, keyId: keyIdOf(ciphertext) }),
    });
  }

  async #reencryptPassphrases(key: RetiredKey, run: JobRun): Promise<number> {
    return reencryptBatch(this.database, key, run, await this.repository.findPassphrases(key.id, run.limit), {
      renew: (row) => this.crypto.rewrap(row.ciphertext, passphraseContext(row.id)),
      replace: (row, ciphertext) =>
        this.repository.replacePassphrase(row, { ciphertext, keyId: keyIdOf(ciphertext) }),
    });
  }
}
