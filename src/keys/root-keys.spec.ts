import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/support/fake-clock.js';
import { StaticRootKeyProvider } from '../../test/support/static-root-key-provider.js';
import { DecryptionError } from '../crypto/errors.js';
import { type HeldRootKeys, RootKeys } from './root-keys.js';

const context = { purpose: 'user-kek', owner: 'ada' };

describe('RootKeys', () => {
  const current = new StaticRootKeyProvider();
  const previous = new StaticRootKeyProvider();
  const both: HeldRootKeys = { current, others: [previous] };

  function rootKeys(read = () => both, idInUse?: string, destroyedIds: string[] = []): RootKeys {
    let primaryId = idInUse;
    const repository = {
      findDestroyedIds: async () => destroyedIds,
      findPrimaryId: async () => primaryId,
      adopt: async (id: string) => {
        primaryId ??= id;
      },
    };
    return new RootKeys(read, repository, new FakeClock());
  }

  it('finds the root key by its exact id and tries no other', async () => {
    const wrapped = await previous.wrap(Buffer.from('key'), context);
    const unwrapped = await rootKeys().unwrap(previous.id, wrapped, context);
    expect(Buffer.from(unwrapped).toString()).toBe('key');
    await expect(rootKeys().unwrap(current.id, wrapped, context)).rejects.toThrow(DecryptionError);
  });

  it('looks again for a root key that it does not hold, and for no other', async () => {
    const wrapped = await previous.wrap(Buffer.from('key'), context);
    let reads = 0;
    const keys = rootKeys(() => (reads++ === 0 ? { current, others: [] } : both));
    await keys.unwrap(previous.id, wrapped, context);
    await keys.unwrap(previous.id, wrapped, context);
    expect(reads).toBe(2);
  });

  it.each(['0000000000000000', '', '../root.key'])('gives up on the unknown root key %j', async (id) => {
    await expect(rootKeys().unwrap(id, Buffer.alloc(80), context)).rejects.toThrow(DecryptionError);
  });

  it('uses one that was given up no more, whatever the database says of it later', async () => {
    const destroyedIds = [previous.id];
    const keys = rootKeys(() => both, previous.id, destroyedIds);
    const wrapped = await previous.wrap(Buffer.from('key'), context);
    expect((await keys.forNewKeys()).id).toBe(previous.id);
    await keys.forgetGivenUp();
    destroyedIds.pop();
    await keys.forgetGivenUp();
    await expect(keys.forNewKeys()).rejects.toMatchObject({ name: 'DecryptionError', keyId: previous.id });
    await expect(keys.unwrap(previous.id, wrapped, context)).rejects.toThrow(DecryptionError);
  });

  it('looks for the current one when the one it holds was given up, and takes the operator’s word', async () => {
    let place: HeldRootKeys = { current: previous, others: [] };
    const keys = rootKeys(() => place, previous.id, [previous.id]);
    await keys.forgetGivenUp();
    expect((await keys.forNewKeys()).id).toBe(previous.id);
    place = { current, others: [previous] };
    await keys.forgetGivenUp();
    await expect(keys.forNewKeys()).rejects.toThrow(DecryptionError);
  });

  it('wraps new keys under the root key that the database uses, whatever is current', async () => {
    expect((await rootKeys(() => both, previous.id).forNewKeys()).id).toBe(previous.id);
    expect((await rootKeys().forNewKeys()).id).toBe(current.id);
    await expect(rootKeys(() => both, 'ffffffffffffffff').forNewKeys()).rejects.toThrow(DecryptionError);
  });
});
