import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** Second factors and the codes for when one is lost. */
export function secondFactors(kind: DatabaseKind): Migration {
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;
  const clustered = kind === 'sqlite' ? sql`strict, without rowid` : sql``;

  return {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await schema
        .createTable('totp_factors')
        .addColumn('user_id', text, (column) =>
          column.primaryKey().references('users.id').onDelete('cascade'),
        )
        .addColumn('seed_ciphertext', bytes, (column) => column.notNull())
        .addColumn('seed_key_id', text, (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('activated_at', time)
        .addColumn('last_used_step', time)
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('totp_factors_key').on('totp_factors').column('seed_key_id').execute();

      await schema
        .createTable('recovery_codes')
        .addColumn('user_id', text, (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('digest', bytes, (column) => column.notNull())
        .addPrimaryKeyConstraint('recovery_codes_key', ['user_id', 'digest'])
        .modifyEnd(clustered)
        .execute();
    },
  };
}
