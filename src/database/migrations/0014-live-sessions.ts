import { type Kysely } from 'kysely';
import { type Migration } from 'kysely/migration';

/** Finds the live sessions of a user without a look at those that ended, of which there are more. */
export function liveSessions(): Migration {
  return {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await schema.dropIndex('sessions_user').execute();
      await schema
        .createIndex('sessions_user')
        .on('sessions')
        .columns(['user_id', 'revoked_at', 'id'])
        .execute();
    },
  };
}
