import { type Kysely, sql } from 'kysely';
import { type Migration } from 'kysely/migration';
import { type DatabaseKind } from '../database.js';

/** The tables of `schema.ts`. */
export function initial(kind: DatabaseKind): Migration {
  // Byte order on both databases: ids and names sort alike, and a prefix is a range of an index.
  const text = kind === 'sqlite' ? sql`text` : sql`text collate "C"`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  const time = kind === 'sqlite' ? sql`integer` : sql`bigint`;
  const strict = kind === 'sqlite' ? sql`strict` : sql``;
  // The rows in the primary key's own tree: one page less to write at each login.
  const clustered = kind === 'sqlite' ? sql`strict, without rowid` : sql``;

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const { schema } = db;

      await schema
        .createTable('keys')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('parent_id', text, (column) => column.notNull())
        .addColumn('owner_id', text, (column) => column.notNull())
        .addColumn('purpose', text, (column) => column.notNull())
        .addColumn('suite', text, (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('state', text, (column) =>
          column
            .notNull()
            .check(sql`state in ('PENDING', 'PRIMARY', 'DECRYPT_ONLY', 'DISABLED', 'DESTROYED')`),
        )
        .addColumn('wrapped', bytes)
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('activated_at', time)
        .addColumn('not_after', time)
        .addColumn('destroyed_at', time)
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('keys_parent').on('keys').column('parent_id').execute();
      // One primary key an owner and purpose, whoever makes it first.
      await schema
        .createIndex('keys_primary')
        .unique()
        .on('keys')
        .columns(['owner_id', 'purpose'])
        .where(sql.ref('state'), '=', sql.lit('PRIMARY'))
        .execute();
      await schema.createIndex('keys_owner').on('keys').columns(['owner_id', 'purpose', 'version']).execute();

      await schema
        .createTable('users')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('email_ciphertext', bytes, (column) => column.notNull())
        .addColumn('email_key_id', text, (column) => column.notNull())
        .addColumn('email_index', bytes, (column) => column.notNull().unique())
        .addColumn('password_ciphertext', bytes, (column) => column.notNull())
        .addColumn('password_key_id', text, (column) => column.notNull())
        .addColumn('roles', text, (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('disabled_at', time)
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('users_email_key').on('users').column('email_key_id').execute();
      await schema.createIndex('users_password_key').on('users').column('password_key_id').execute();

      await schema
        .createTable('sessions')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('user_id', text, (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('last_used_at', time, (column) => column.notNull())
        .addColumn('idle_expires_at', time, (column) => column.notNull())
        .addColumn('expires_at', time, (column) => column.notNull())
        .addColumn('ip', text, (column) => column.notNull())
        .addColumn('user_agent', text, (column) => column.notNull())
        .addColumn('amr', text, (column) => column.notNull())
        .addColumn('auth_time', time, (column) => column.notNull())
        .addColumn('revoked_at', time)
        .modifyEnd(clustered)
        .execute();
      await schema.createIndex('sessions_user').on('sessions').columns(['user_id', 'id']).execute();

      await schema
        .createTable('refresh_tokens')
        .addColumn('digest', bytes, (column) => column.primaryKey())
        .addColumn('session_id', text, (column) =>
          column.notNull().references('sessions.id').onDelete('cascade'),
        )
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('used_at', time)
        .modifyEnd(clustered)
        .execute();
      await schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute();

      await schema
        .createTable('secrets')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('owner_id', text, (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('name', text, (column) => column.notNull())
        .addColumn('metadata', text, (column) => column.notNull())
        .addColumn('cas_required', 'integer', (column) => column.notNull())
        .addColumn('latest_version', 'integer', (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('updated_at', time, (column) => column.notNull())
        .addUniqueConstraint('secrets_owner_name', ['owner_id', 'name'])
        .modifyEnd(strict)
        .execute();

      await schema
        .createTable('secret_versions')
        .addColumn('secret_id', text, (column) =>
          column.notNull().references('secrets.id').onDelete('cascade'),
        )
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('key_id', text, (column) => column.notNull())
        .addColumn('ciphertext', bytes, (column) => column.notNull())
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('expires_at', time)
        .addColumn('deleted_at', time)
        .addPrimaryKeyConstraint('secret_versions_key', ['secret_id', 'version'])
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('secret_versions_key_id').on('secret_versions').column('key_id').execute();

      await schema
        .createTable('contacts')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('owner_id', text, (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('key_id', text, (column) => column.notNull())
        .addColumn('ciphertext', bytes, (column) => column.notNull())
        .addColumn('email_index', bytes)
        .addColumn('version', 'integer', (column) => column.notNull().defaultTo(1))
        .addColumn('created_at', time, (column) => column.notNull())
        .addColumn('updated_at', time, (column) => column.notNull())
        .modifyEnd(strict)
        .execute();
      await schema.createIndex('contacts_owner').on('contacts').columns(['owner_id', 'id']).execute();
      await schema
        .createIndex('contacts_email')
        .on('contacts')
        .columns(['owner_id', 'email_index', 'id'])
        .execute();
      await schema.createIndex('contacts_key').on('contacts').column('key_id').execute();
    },
  };
}
