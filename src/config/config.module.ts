import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { AppConfig } from './app-config.js';
import { type Environment, parseEnvironment } from './environment.js';

const KEY = 'app';

/** Provides `AppConfig` everywhere. */
@Module({})
export class AppConfigModule {
  /**
   * @param environment - replaces the process's variables and the `.env` file altogether
   * @throws {StartError} listing every bad variable
   */
  static async forRoot(environment?: Environment): Promise<DynamicModule> {
    return {
      module: AppConfigModule,
      global: true,
      imports: [
        await ConfigModule.forRoot({
          ignoreEnvFile: environment !== undefined,
          // An object under one key: ConfigModule copies plain strings back into process.env, where a
          // secret has no business.
          validate: (processEnvironment) => ({
            [KEY]: new AppConfig(parseEnvironment(environment ?? (processEnvironment as Environment))),
          }),
        }),
      ],
      providers: [
        {
          provide: AppConfig,
          inject: [ConfigService],
          useFactory: (service: ConfigService) => service.getOrThrow<AppConfig>(KEY),
        },
      ],
      exports: [AppConfig],
    };
  }
}

/** The configuration alone, for what must know it before the application exists. */
export async function readConfig(configuration: DynamicModule): Promise<AppConfig> {
  const context = await NestFactory.createApplicationContext(configuration, {
    logger: false,
    abortOnError: false,
  });
  const config = context.get(AppConfig);
  await context.close();
  return config;
}
