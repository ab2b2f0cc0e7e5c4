import { Module } from '@nestjs/common';
import { UserCiphertextsRepository } from './user-ciphertexts.repository.js';
import { UserAdministrationRepository } from './user-administration.repository.js';
import { UserAdministrationService } from './user-administration.service.js';
import { UsersController } from './users.controller.js';
import { UsersReencryption } from './users.reencryption.js';
import { PasswordList } from './password-list.js';
import { PasswordPolicy } from './password-policy.service.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  controllers: [UsersController],
  providers: [
    PasswordList,
    PasswordPolicy,
    UsersRepository,
    UsersService,
    UserCiphertextsRepository,
    UsersReencryption,
    UserAdministrationRepository,
    UserAdministrationService,
  ],
  exports: [PasswordList, UsersService, UserAdministrationService],
})
export class UsersModule {}
