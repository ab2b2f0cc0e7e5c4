import { type DynamicModule, Module } from '@nestjs/common';
import { InputsModule } from './app.inputs.js';
import { AuditApiModule } from './audit/audit-api.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ContactsModule } from './contacts/contacts.module.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { type RateLimits } from './http/rate-limits.js';
import { KeyRotationModule } from './keys/key-rotation.module.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { type ServedCertificate } from './tls/served-certificate.js';
import { TlsModule } from './tls/tls.module.js';
import { SharesModule } from './shares/shares.module.js';
import { WelcomeModule } from './welcome/welcome.module.js';

/** Every feature. `contacts` is the demo: delete its line and its folder when yours stands. */
@Module({})
export class AppModule {
  static forRoot(core: DynamicModule, served: ServedCertificate, rateLimits: RateLimits): DynamicModule {
    return {
      module: AppModule,
      imports: [
        core,
        TlsModule.forRoot(served),
        HttpModule.forRoot(rateLimits),
        KeyRotationModule,
        AuditApiModule,
        AuthModule,
        SecretsModule,
        SharesModule,
        ContactsModule,
        HealthModule,
        WelcomeModule,
        InputsModule,
      ],
    };
  }
}
