import { Injectable } from '@nestjs/common';
import { OwnerDeletedError } from '../common/app-error.js';
import { Clock } from '../common/clock.js';
import { SealingPublicKey } from '../crypto/sealing-key.js';
import { type KemName, kemOfPublicKey } from '../crypto/sealing-suites.js';
import { randomKeyId } from '../crypto/symmetric-key.js';
import { KeyringService } from './keyring.service.js';
import { KeysRepository } from './keys.repository.js';
import { type PublicKeyRow, PublicKeysRepository } from './public-keys.repository.js';

export interface RecipientKey {
  readonly publicKey: SealingPublicKey;
  /** Who has the private half, so who can open what is sealed to the key. */
  readonly holder: 'server' | 'client';
}

/** The public keys of users, to seal to. */
@Injectable()
export class PublicKeysService {
  constructor(
    private readonly repository: PublicKeysRepository,
    private readonly keys: KeysRepository,
    private readonly keyring: KeyringService,
    private readonly clock: Clock,
  ) {}

  /**
   * From now on is sealed to this key, whose private half only the owner has. What was sealed to a key before
   * stays sealed to that one.
   *
   * @param bytes 1216 of MLKEM768-X25519 or 32 of X25519
   * @throws {InvalidPublicKeyError}
   */
  async register(ownerId: string, bytes: Uint8Array): Promise<RecipientKey> {
    const parameters = { id: randomKeyId(), owner: ownerId, kem: kemOfPublicKey(bytes) };
    const publicKey = await SealingPublicKey.import(parameters, bytes);
    await this.repository.put({
      owner_id: ownerId,
      key_id: publicKey.id,
      kem: publicKey.kem,
      public_key: publicKey.bytes,
      created_at: this.clock.nowMs(),
    });
    return { publicKey, holder: 'client' };
  }

  /** Whether there is such a user: each has a key-encryption key of their own, from the start to the end of the account. */
  async has(ownerId: string): Promise<boolean> {
    return (await this.keys.findPrimaryId(ownerId, 'user-kek')) !== undefined;
  }

  /**
   * The key that the user registered, or else the one that is kept for them here, made when first asked for;
   * `undefined` when there is no such user.
   */
  async find(ownerId: string): Promise<RecipientKey | undefined> {
    const row = await this.repository.find(ownerId);
    if (row) return { publicKey: await importRow(row), holder: 'client' };
    if (!(await this.has(ownerId))) return undefined;
    try {
      const { publicKey } = await this.keyring.sealingKeyPair(ownerId);
      return { publicKey, holder: 'server' };
    } catch (error) {
      // At this moment. It is not the caller's account that is gone.
      if (error instanceof OwnerDeletedError) return undefined;
      throw error;
    }
  }
}

/** It was good when it was registered: what is not is a fault, which the log tells by the key's id. */
async function importRow({ key_id: id, owner_id: owner, kem, public_key: bytes }: PublicKeyRow) {
  try {
    return await SealingPublicKey.import({ id, owner, kem: kem as KemName }, bytes);
  } catch (cause) {
    throw new Error(`public key ${id} of owner ${owner} was changed`, { cause });
  }
}
