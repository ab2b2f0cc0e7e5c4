import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { FactorsModule } from '../factors/factors.module.js';
import { PasswordList } from '../users/password-list.js';
import { UsersModule } from '../users/users.module.js';
import { AccessMarks } from './access-marks.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuthController } from './auth.controller.js';
import { AuthGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { Authenticator } from './authenticator.js';
import { JwksController } from './jwks.controller.js';
import { AuthEvents } from './auth-events.js';
import { KnownDevices } from './known-devices.js';
import { PasswordChangeService } from './password-change.service.js';
import { PasswordController } from './password.controller.js';
import { PublicKeyRegistration } from './public-key-registration.js';
import { PublicKeysController } from './public-keys.controller.js';
import { RefreshTokens } from './refresh-tokens.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';
import { SecondFactorSteps } from './second-factor-steps.js';
import { SessionSweeper } from './session-sweeper.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { TotpController } from './totp.controller.js';

@Module({
  imports: [DiscoveryModule, FactorsModule, UsersModule],
  controllers: [
    AuthController,
    PasswordController,
    SessionsController,
    ApiKeysController,
    AccountsController,
    TotpController,
    PublicKeysController,
    JwksController,
  ],
  providers: [
    AccessMarks,
    AccountsService,
    ApiKeysRepository,
    ApiKeysService,
    AuthEvents,
    AuthService,
    Authenticator,
    KnownDevices,
    PasswordChangeService,
    PublicKeyRegistration,
    RefreshTokens,
    RefreshTokensRepository,
    SecondFactorSteps,
    SessionSweeper,
    SessionsRepository,
    SessionsService,
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
})
export class AuthModule implements OnModuleInit {
  constructor(private readonly passwordList: PasswordList) {}

  async onModuleInit(): Promise<void> {
    await this.passwordList.check();
  }
}
