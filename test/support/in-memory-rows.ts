import { keyIdOf } from '../../src/crypto/envelope.js';
import { type EncryptedRows, type RetiredKey } from '../../src/keys/encrypted-rows.js';
import { type JobRun } from '../../src/keys/job-run.js';
import { type KeyPurposeName } from '../../src/keys/key-purposes.js';
import { type KeyringService } from '../../src/keys/keyring.service.js';

/** An encrypted column that no table holds, of one owner. */
export class InMemoryRows implements EncryptedRows {
  readonly #envelopes: Buffer[] = [];

  constructor(
    readonly purpose: KeyPurposeName,
    private readonly owner: string,
    private readonly keyring: KeyringService,
  ) {}

  async add(...texts: readonly string[]): Promise<void> {
    for (const text of texts) this.#envelopes.push(await this.#encrypt(Buffer.from(text)));
  }

  /** Every value, decrypted with the key that it names. */
  async read(keyring = this.keyring): Promise<string[]> {
    return Promise.all(
      this.#envelopes.map(async (envelope) => {
        const key = await keyring.decryptionKey(keyIdOf(envelope));
        if (!key) throw new Error(`key ${keyIdOf(envelope)} is gone`);
        return key.decrypt(envelope, this.#context).toString();
      }),
    );
  }

  get keyIds(): string[] {
    return this.#envelopes.map((envelope) => keyIdOf(envelope));
  }

  async count({ id }: RetiredKey): Promise<number> {
    return this.keyIds.filter((keyId) => keyId === id).length;
  }

  async reencrypt({ id }: RetiredKey, run: JobRun): Promise<number> {
    const found = this.keyIds.flatMap((keyId, index) => (keyId === id ? [index] : []));
    const batch = run.next(found, String);
    for (const index of batch) {
      await run.attempt(String(index), id, async () => {
        const envelope = this.#envelopes[index] ?? Buffer.alloc(0);
        const plaintext = (await this.keyring.decryptionKey(id))?.decrypt(envelope, this.#context);
        this.#envelopes[index] = await this.#encrypt(plaintext ?? Buffer.alloc(0));
      });
    }
    return batch.length;
  }

  /** Changes one bit of a value, as a disk or somebody with the database may. A second time restores it. */
  damage(index: number): void {
    const envelope = this.#envelopes[index];
    if (envelope) envelope[envelope.length - 1] = (envelope.at(-1) ?? 0) ^ 1;
  }

  get #context() {
    return { purpose: this.purpose, owner: this.owner };
  }

  async #encrypt(plaintext: Buffer): Promise<Buffer> {
    return (await this.keyring.encryptionKey(this.#context)).encrypt(plaintext, this.#context);
  }
}
