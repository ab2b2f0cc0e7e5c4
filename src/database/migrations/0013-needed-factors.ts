import { type Kysely } from 'kysely';
import { type Migration } from 'kysely/migration';

/** Which second factors belong to a password that is too short to stand alone. */
export function neededFactors(): Migration {
  return {
    async up({ schema }: Kysely<unknown>): Promise<void> {
      await schema
        .alterTable('totp_factors')
        .addColumn('is_needed', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  };
}
