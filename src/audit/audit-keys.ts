import { Injectable } from '@nestjs/common';
import { KeyStore } from '../crypto/key-store.js';
import { type MacKey } from '../crypto/mac-key.js';
import { encodeValue } from './audit-chain.js';

const PURPOSE = 'audit-chain';
const VALUE_DIGEST_BYTES = 16;

/** The keys of the chain. One that was replaced goes on verifying the events that name it. */
@Injectable()
export class AuditKeys {
  #isAnyMade = false;

  constructor(private readonly keyStore: KeyStore) {}

  /** The key that events are authenticated with now; the very first event makes it, in its transaction. */
  current(): Promise<MacKey> {
    return this.keyStore.macKey(PURPOSE);
  }

  find(id: string): Promise<MacKey | undefined> {
    return this.keyStore.macKeyById(PURPOSE, id);
  }

  async isAnyMade(): Promise<boolean> {
    return (await this.keyStore.macKeyIds(PURPOSE)).length > 0;
  }

  /** Call it outside of transactions: inside, the keyring remembers nothing of what it reads. */
  async readAhead(): Promise<void> {
    this.#isAnyMade ||= await this.isAnyMade();
    if (this.#isAnyMade) await this.current();
  }

  /** Every digest that the value may be stored under, one a key. */
  async digests(value: string): Promise<Buffer[]> {
    const ids = await this.keyStore.macKeyIds(PURPOSE);
    const keys = await Promise.all(ids.map((id) => this.find(id)));
    return keys.flatMap((key) => (key ? [valueDigest(key, value)] : []));
  }
}

export function valueDigest(key: MacKey, value: string): Buffer {
  return key.mac(encodeValue(value)).subarray(0, VALUE_DIGEST_BYTES);
}
