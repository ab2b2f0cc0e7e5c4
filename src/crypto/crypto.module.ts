import { Global, Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { AccessTokenSigner } from './access-token.js';
import { CryptoService } from './crypto.service.js';
import { PasswordHasher } from './password-hasher.js';

/** Needs a global provider of `KeyStore`. */
@Global()
@Module({
  imports: [JwtModule.register({})],
  providers: [CryptoService, PasswordHasher, AccessTokenSigner],
  exports: [CryptoService],
})
export class CryptoModule {}
