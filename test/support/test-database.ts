import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { type Database, type DatabaseKind } from '../../src/database/database.js';
import { SchemaMigrator } from '../../src/database/migrator.js';
import { openDatabase } from '../../src/database/open-database.js';
import { newPostgresDatabase, testPostgresUrl } from './postgres-database.js';

/** A database of a test's own, without the application. */
export class TestDatabase {
  readonly #open: Database[] = [];

  private constructor(
    readonly url: string,
    private readonly drop: () => Promise<void>,
  ) {}

  static async create(kind: DatabaseKind): Promise<TestDatabase> {
    if (kind === 'postgres') {
      const postgres = await newPostgresDatabase();
      return new TestDatabase(postgres.url, () => postgres.drop());
    }
    const directory = await mkdtemp(join(tmpdir(), 'test-database-'));
    return new TestDatabase(`sqlite:${join(directory, 'app.db')}`, () => rm(directory, { recursive: true }));
  }

  /** Of SQLite. */
  get file(): string {
    return this.url.slice('sqlite:'.length);
  }

  /** One more connection, as another instance would have. */
  async open(): Promise<Database> {
    const database = await openDatabase({ url: this.url, creates: true, onIdleError: () => {} });
    this.#open.push(database);
    return database;
  }

  /** A connection to the database with all its tables. */
  async openMigrated(): Promise<Database> {
    const database = await this.open();
    await new SchemaMigrator(database).migrate();
    return database;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#open.map((database) => database.close()));
    await this.drop();
  }
}

/** As `forEachDatabase`, for tests that need no application. */
export function forEachDatabaseKind(suite: (kind: DatabaseKind) => void): void {
  describe('on SQLite', () => {
    suite('sqlite');
  });
  const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;
  describePostgres('on PostgreSQL', () => {
    suite('postgres');
  });
}
