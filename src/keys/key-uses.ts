import { Injectable } from '@nestjs/common';
import { EncryptedRowsRegistry, type RetiredKey } from './encrypted-rows.js';
import { type KeyPurposeName, keyPurposes } from './key-purposes.js';
import { KeyUsesRepository } from './key-uses.repository.js';

/** What is under a key: keys that it wraps, and rows that the features encrypted with it. */
@Injectable()
export class KeyUses {
  constructor(
    private readonly repository: KeyUsesRepository,
    private readonly registry: EncryptedRowsRegistry,
  ) {}

  async count(purpose: string, key: RetiredKey): Promise<number> {
    let count = await this.repository.countChildren(key.id);
    for (const rows of this.registry.of(purpose)) count += await rows.count(key);
    return count;
  }

  /** Whether all that is under such keys is counted: what the audit's keys authenticated is not, nor are tokens. */
  isCounted(purpose: string): boolean {
    return wrappingPurposes.has(purpose) || this.registry.of(purpose).length > 0;
  }

  /** What a rotation has to move: all that is under the owner's keys of the purpose. */
  async countOfOwner(purpose: KeyPurposeName, ownerId: string): Promise<number> {
    if (keyPurposes[purpose].isPerValue) return this.repository.countOfOwner(purpose, ownerId);
    let count = 0;
    for (const key of await this.repository.listOfOwner(purpose, ownerId)) {
      count += await this.count(purpose, key);
    }
    return count;
  }
}

const wrappingPurposes = new Set<string | undefined>(
  Object.values(keyPurposes).flatMap(({ wrappedBy }) => [wrappedBy.user, wrappedBy.system]),
);
