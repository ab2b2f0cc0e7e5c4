import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** Who besides its owner may read a secret. */
export function grants(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;
      await schema
        .createTable('grants')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('secret_id', text, (column) =>
          column.notNull().references('secrets.id').onDelete('cascade'),
        )
        .addColumn('recipient_id', text, (column) =>
          column.notNull().references('users.id').onDelete('cascade'),
        )
        .addColumn('version', 'integer')
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('expires_at', time)
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('grants_secret').on('grants').columns(['secret_id', 'id']).execute();
      await schema.createIndex('grants_recipient').on('grants').columns(['recipient_id', 'id']).execute();
    },
  };
}
