import { type Migration, Migrator } from 'kysely/migration';
import { StartError } from '../common/start-error.js';
import { type Database, type DatabaseKind } from './database.js';
import { initial } from './migrations/0001-initial.js';
import { keyJobs } from './migrations/0002-key-jobs.js';
import { keyChanges } from './migrations/0003-key-changes.js';
import { attemptFailures } from './migrations/0004-attempt-failures.js';
import { sessionGuards } from './migrations/0005-session-guards.js';
import { accounts } from './migrations/0006-accounts.js';
import { secondFactors } from './migrations/0007-second-factors.js';
import { auditEvents } from './migrations/0008-audit-events.js';
import { auditCheckpoints } from './migrations/0009-audit-checkpoints.js';
import { secretStates } from './migrations/0010-secret-states.js';
import { shares } from './migrations/0011-shares.js';
import { grants } from './migrations/0012-grants.js';
import { neededFactors } from './migrations/0013-needed-factors.js';
import { liveSessions } from './migrations/0014-live-sessions.js';
import { liveKeys } from './migrations/0015-live-keys.js';
import { goneOwners } from './migrations/0016-gone-owners.js';

/** Every migration, in the order of their names. */
export function migrationsFor(kind: DatabaseKind): Readonly<Record<string, Migration>> {
  return {
    '0001-initial': initial(kind),
    '0002-key-jobs': keyJobs(kind),
    '0003-key-changes': keyChanges(kind),
    '0004-attempt-failures': attemptFailures(kind),
    '0005-session-guards': sessionGuards(kind),
    '0006-accounts': accounts(kind),
    '0007-second-factors': secondFactors(kind),
    '0008-audit-events': auditEvents(kind),
    '0009-audit-checkpoints': auditCheckpoints(kind),
    '0010-secret-states': secretStates(kind),
    '0011-shares': shares(kind),
    '0012-grants': grants(kind),
    '0013-needed-factors': neededFactors(),
    '0014-live-sessions': liveSessions(),
    '0015-live-keys': liveKeys(kind),
    '0016-gone-owners': goneOwners(kind),
  };
}

/** Brings the schema up to date. Each migration runs in a transaction: all of it or nothing. */
export class SchemaMigrator {
  readonly #migrator: Migrator;

  constructor(database: Database) {
    this.#migrator = new Migrator({
      db: database.query,
      provider: { getMigrations: async () => migrationsFor(database.kind) },
    });
  }

  /** The names of the migrations that have not run, in order. */
  async pending(): Promise<string[]> {
    const migrations = await this.#migrator.getMigrations();
    return migrations.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
  }

  /**
   * Runs what is pending and names it.
   *
   * @throws {StartError} when the database was migrated by a newer release
   */
  async migrate(): Promise<string[]> {
    const { error, results = [] } = await this.#migrator.migrateToLatest();
    if (error instanceof Error) {
      if (/previously executed migration .* is missing/.test(error.message)) {
        throw new StartError(
          'the database was migrated by a newer release: start that release, or restore a backup',
          {
            cause: error,
          },
        );
      }
      throw error;
    }
    return results.map(({ migrationName }) => migrationName);
  }
}
