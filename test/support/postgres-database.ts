import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** Where tests may make databases of their own, or `undefined` where there is no PostgreSQL. */
export const testPostgresUrl = process.env['TEST_POSTGRES_URL'];

export interface PostgresDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A new, empty database beside the one that `TEST_POSTGRES_URL` names. */
export async function newPostgresDatabase(): Promise<PostgresDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(`create database ${name}`);
  const url = new URL(testPostgresUrl ?? '');
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(`drop database ${name} with (force)`) };
}

async function execute(statement: string): Promise<void> {
  const client = new Client({ connectionString: testPostgresUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
