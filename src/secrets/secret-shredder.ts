import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { KeyDestructionService } from '../keys/key-destruction.service.js';
import { type KeyedVersion, SecretVersionsRepository } from './secret-versions.repository.js';

const BATCH = 100;

/** The end of versions: their data keys are destroyed, so no backup of the table of versions has them any more. */
@Injectable()
export class SecretShredder {
  constructor(
    private readonly versions: SecretVersionsRepository,
    private readonly keys: KeyDestructionService,
    private readonly database: Database,
  ) {}

  /**
   * Call it in the transaction that has locked the versions.
   *
   * @param destroyedAtMs - null where the expiry alone says why a version is empty
   */
  async shred(versions: readonly KeyedVersion[], destroyedAtMs: number | null): Promise<void> {
    for (const version of versions) await this.versions.empty(version, destroyedAtMs);
    await this.keys.destroyValueKeys(versions.map((row) => row.key_id).filter((id) => id !== ''));
  }

  /** Shreds what has expired; it was unreadable from its time on. */
  async shredExpired(nowMs: number): Promise<void> {
    for (;;) {
      const count = await this.database.transaction(async () => {
        const expired = await this.versions.findExpired(nowMs, BATCH);
        await this.shred(expired, null);
        return expired.length;
      });
      if (count < BATCH) return;
    }
  }
}
