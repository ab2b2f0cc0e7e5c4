import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/**
 * Which key derives the successor of a refresh token again, for whom the answer was lost; and since when a password
 * is a user's, which a session that begins is held against.
 */
export function sessionGuards(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;

  return {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await schema.alterTable('refresh_tokens').addColumn('successor_key_id', text).execute();
      await schema
        .alterTable('users')
        .addColumn('password_changed_at', time, (column) => column.notNull().defaultTo(0))
        .execute();
    },
  };
}
