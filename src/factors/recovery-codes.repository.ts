import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

@Injectable()
export class RecoveryCodesRepository {
  constructor(private readonly database: Database) {}

  /** In the place of all that the user had. */
  async replaceAll(userId: string, digests: readonly Uint8Array[]): Promise<void> {
    await this.deleteAll(userId);
    const rows = digests.map((digest) => ({ user_id: userId, digest }));
    await this.database.query.insertInto('recovery_codes').values(rows).execute();
  }

  /** Uses a code up: of any number of callers at most one gets in with it. */
  async redeem(userId: string, digest: Uint8Array): Promise<boolean> {
    const row = await this.database.query
      .deleteFrom('recovery_codes')
      .where('user_id', '=', userId)
      .where('digest', '=', digest)
      .returning('user_id')
      .executeTakeFirst();
    return row !== undefined;
  }

  async deleteAll(userId: string): Promise<void> {
    await this.database.query.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  }
}
