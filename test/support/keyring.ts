import { type Clock } from '../../src/common/clock.js';
import { type Database } from '../../src/database/database.js';
import { KeyringService } from '../../src/keys/keyring.service.js';
import { KeysRepository } from '../../src/keys/keys.repository.js';
import { PrimaryKeys } from '../../src/keys/primary-keys.js';
import { type RootKeyProvider } from '../../src/keys/root-key-provider.js';
import { RootKeys } from '../../src/keys/root-keys.js';
import { RootWrappedKeysRepository } from '../../src/keys/root-wrapped-keys.repository.js';
import { UnwrappedKeys } from '../../src/keys/unwrapped-keys.js';

/** A keyring with caches of its own, as an instance of the application has it. */
export function openKeyring(database: Database, rootKey: RootKeyProvider | RootKeys, clock: Clock) {
  const rootKeys =
    rootKey instanceof RootKeys
      ? rootKey
      : new RootKeys(
          () => ({ current: rootKey, others: [] }),
          new RootWrappedKeysRepository(database),
          clock,
        );
  const repository = new KeysRepository(database);
  const unwrapped = new UnwrappedKeys(repository, rootKeys, database, clock);
  const primaries = new PrimaryKeys(repository, unwrapped, rootKeys, database, clock);
  const keyring = new KeyringService(repository, unwrapped, primaries, database, clock);
  return { repository, unwrapped, primaries, keyring };
}
