import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { StartError } from '../common/start-error.js';
import { AppConfig } from '../config/app-config.js';
import { Database } from './database.js';
import { SchemaMigrator } from './migrator.js';
import { openDatabase } from './open-database.js';

@Global()
@Module({
  providers: [
    {
      provide: Database,
      inject: [AppConfig],
      useFactory: async ({ storage, isProduction }: AppConfig) => {
        const logger = new Logger('Database');
        const database = await openDatabase({
          url: storage.databaseUrl.reveal(),
          creates: !isProduction,
          onIdleError: (error) => logger.warn(`an idle connection broke: ${error.message}`),
        });
        try {
          await ensureSchema(new SchemaMigrator(database), isProduction);
          return database;
        } catch (error) {
          await database.close();
          throw error;
        }
      },
    },
  ],
  exports: [Database],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}

/**
 * Migrates in development; in production only checks, since a deployment migrates once, not each of its
 * instances.
 */
async function ensureSchema(migrator: SchemaMigrator, isProduction: boolean): Promise<void> {
  if (!isProduction) {
    await migrator.migrate();
    return;
  }
  const pending = await migrator.pending();
  if (pending.length > 0) {
    throw new StartError(`the database lacks ${pending.join(', ')}: run \`npm run cli -- db migrate\` first`);
  }
}
