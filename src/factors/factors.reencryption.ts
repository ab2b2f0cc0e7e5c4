import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CryptoService } from '../crypto/crypto.service.js';
import { keyIdOf } from '../crypto/envelope.js';
import { Database } from '../database/database.js';
import { EncryptedRowsRegistry, reencryptBatch, type RetiredKey } from '../keys/encrypted-rows.js';
import { type JobRun } from '../keys/job-run.js';
import { seedContext } from './seed-context.js';
import { TotpFactorsRepository } from './totp-factors.repository.js';

/** Brings seeds under new keys; the app's codes stay what they are. */
@Injectable()
export class FactorsReencryption implements OnModuleInit {
  constructor(
    private readonly registry: EncryptedRowsRegistry,
    private readonly repository: TotpFactorsRepository,
    private readonly crypto: CryptoService,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.registry.register({
      purpose: 'totp',
      count: (key) => this.repository.countUnder(key.id),
      reencrypt: (key, run) => this.#reencrypt(key, run),
    });
  }

  async #reencrypt(key: RetiredKey, run: JobRun): Promise<number> {
    return reencryptBatch(this.database, key, run, await this.repository.findUnder(key.id, run.limit), {
      renew: (row) => this.crypto.rewrap(row.ciphertext, seedContext(row.id)),
      replace: (row, ciphertext) =>
        this.repository.replaceSeed(row, { ciphertext, keyId: keyIdOf(ciphertext) }),
    });
  }
}
