import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.js';
import { Clock, SystemClock } from './common/clock.js';
import { CryptoModule } from './crypto/crypto.module.js';
import { DatabaseModule } from './database/database.module.js';
import { KeysModule } from './keys/keys.module.js';
import { ThrottleModule } from './throttle/throttle.module.js';

/** What every feature stands on, for the server and the command line alike. */
@Global()
@Module({})
export class CoreModule {
  static forRoot(configuration: DynamicModule, clock: Clock = new SystemClock()): DynamicModule {
    return {
      module: CoreModule,
      imports: [configuration, DatabaseModule, CryptoModule, KeysModule, ThrottleModule, AuditModule],
      providers: [{ provide: Clock, useValue: clock }],
      exports: [Clock],
    };
  }
}
