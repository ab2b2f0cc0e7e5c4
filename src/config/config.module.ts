import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { parseDotenv } from '../common/dotenv.js';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { AppConfig } from './app-config.js';
import {
  type Environment,
  forgetSecrets,
  parseEnvironment,
  SECRET_VARIABLES,
  SECRETS_READ_LATER,
} from './environment.js';

const KEY = 'app';

/** Provides `AppConfig` everywhere. */
@Module({})
export class AppConfigModule {
  /**
   * Reads and checks the configuration. It is given beside the module, for what must know it before the
   * application exists: TLS, the log, the database's location. Secrets are taken out of the process's variables.
   *
   * @param environment - replaces the process's variables and the `.env` file altogether
   * @throws {StartError} listing every bad variable, or when the `.env` file, or a line of it, can't be read
   */
  static async load(environment?: Environment): Promise<{ config: AppConfig; module: DynamicModule }> {
    const parsed: { config?: AppConfig } = {};
    const configModule = await ConfigModule.forRoot({
      ignoreEnvFile: environment !== undefined,
      // Strict: a setting that is left out because its line can't be read would be one that protects nothing.
      parser: (bytes) => parseDotenv(new TextDecoder().decode(bytes), 'the file .env'),
      validate: (processEnvironment) => {
        parsed.config = new AppConfig(parseEnvironment(environment ?? (processEnvironment as Environment)));
        // An object under one key: ConfigModule copies plain strings back into process.env, where a
        // secret has no business.
        return { [KEY]: parsed.config };
      },
    }).catch(refuseEnvFile);
    if (!parsed.config) throw new Error('the configuration was not read');
    if (!environment) forgetSecrets([...SECRET_VARIABLES, ...SECRETS_READ_LATER]);
    const provider = {
      provide: AppConfig,
      inject: [ConfigService],
      useFactory: (service: ConfigService) => service.getOrThrow<AppConfig>(KEY),
    };
    return {
      config: parsed.config,
      module: {
        module: AppConfigModule,
        global: true,
        imports: [configModule],
        providers: [provider],
        exports: [AppConfig],
      },
    };
  }
}

/** `ConfigModule` reads it and throws the system's error as it is. */
function refuseEnvFile(error: unknown): never {
  const code = errorCode(error);
  if (code === undefined) throw error;
  throw new StartError(`the file .env cannot be read (${code}): correct its permissions, or move it away`, {
    cause: error,
  });
}
