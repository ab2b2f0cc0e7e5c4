import { Command } from 'commander';
import { AppConfigModule } from '../config/config.module.js';
import { SchemaMigrator } from '../database/migrator.js';
import { openDatabase } from '../database/open-database.js';

export function dbCommand(): Command {
  return new Command('db')
    .description('the database')
    .addCommand(new Command('migrate').description('bring the tables up to date').action(migrate));
}

async function migrate(): Promise<void> {
  const { config } = await AppConfigModule.load();
  const database = await openDatabase({
    url: config.storage.databaseUrl.reveal(),
    creates: true,
    onIdleError: (error) => process.stderr.write(`${error.message}\n`),
  });
  try {
    const names = await new SchemaMigrator(database).migrate();
    process.stdout.write(
      names.length === 0 ? 'nothing to migrate\n' : names.map((name) => `migrated ${name}\n`).join(''),
    );
  } finally {
    await database.close();
  }
}
