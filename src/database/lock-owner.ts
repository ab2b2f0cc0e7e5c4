import { type Database } from './database.js';

/**
 * Keeps a user from being deleted until the surrounding transaction ends. Before anything of theirs is locked: whoever
 * deletes them locks the user first, and the two would wait for each other. SQLite has one writer at a time anyway.
 */
export async function lockOwner({ kind, query }: Database, ownerId: string): Promise<void> {
  if (kind === 'postgres')
    await query.selectFrom('users').select('id').where('id', '=', ownerId).forKeyShare().execute();
}
