import { Module } from '@nestjs/common';
import { FactorsReencryption } from './factors.reencryption.js';
import { RecoveryCodesRepository } from './recovery-codes.repository.js';
import { SecondFactorService } from './second-factor.service.js';
import { TotpFactorsRepository } from './totp-factors.repository.js';

@Module({
  providers: [TotpFactorsRepository, RecoveryCodesRepository, SecondFactorService, FactorsReencryption],
  exports: [SecondFactorService],
})
export class FactorsModule {}
