import { type Clock } from '../../src/common/clock.js';
import { type Database } from '../../src/database/database.js';
import { KeyringService } from '../../src/keys/keyring.service.js';
import { KeysRepository } from '../../src/keys/keys.repository.js';
import { PrimaryKeys } from '../../src/keys/primary-keys.js';
import { type RootKeyProvider } from '../../src/keys/root-key-provider.js';
import { UnwrappedKeys } from '../../src/keys/unwrapped-keys.js';

/** A keyring with caches of its own, as an instance of the application has it. */
export function openKeyring(database: Database, rootKey: RootKeyProvider, clock: Clock) {
  const repository = new KeysRepository(database);
  const unwrapped = new UnwrappedKeys(repository, rootKey, database, clock);
  const primaries = new PrimaryKeys(repository, unwrapped, rootKey, database, clock);
  const keyring = new KeyringService(repository, unwrapped, primaries, database, clock);
  return { repository, unwrapped, primaries, keyring };
}
