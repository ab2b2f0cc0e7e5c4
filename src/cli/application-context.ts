import { type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CoreModule } from '../core.module.js';
import { AppConfigModule } from '../config/config.module.js';

@Module({})
class CommandModule {}

/** Runs `work` with one feature and what it needs, without a server, and closes the database after it. */
export async function withModule(
  feature: Type,
  work: (context: INestApplicationContext) => Promise<void>,
): Promise<void> {
  const { module: configuration } = await AppConfigModule.load();
  const context = await NestFactory.createApplicationContext(
    { module: CommandModule, imports: [CoreModule.forRoot(configuration), feature] },
    // What goes wrong is thrown; a log of it as well would bury the one line that an operator needs.
    { logger: false, abortOnError: false },
  );
  try {
    await work(context);
  } finally {
    await context.close();
  }
}
