import { describe } from '@jest/globals';
import { testPostgresUrl } from './postgres-database.js';
import { newTestApp, type TestApp, type TestAppOptions } from './test-app.js';

export type NewApp = (options?: Omit<TestAppOptions, 'database'>) => Promise<TestApp>;

/**
 * Declares the same tests for SQLite and for PostgreSQL. Without `TEST_POSTGRES_URL` the latter are
 * skipped, so that a report shows what was not tested.
 */
export function forEachDatabase(suite: (newApp: NewApp) => void): void {
  describe('on SQLite', () => {
    suite((options) => newTestApp({ ...options, database: 'sqlite' }));
  });
  const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;
  describePostgres('on PostgreSQL', () => {
    suite((options) => newTestApp({ ...options, database: 'postgres' }));
  });
}
