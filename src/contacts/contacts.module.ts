import { Module } from '@nestjs/common';
import { ContactCiphertextsRepository } from './contact-ciphertexts.repository.js';
import { ContactsController } from './contacts.controller.js';
import { ContactsReencryption } from './contacts.reencryption.js';
import { ContactsRepository } from './contacts.repository.js';
import { ContactsService } from './contacts.service.js';

@Module({
  controllers: [ContactsController],
  providers: [ContactsRepository, ContactsService, ContactCiphertextsRepository, ContactsReencryption],
})
export class ContactsModule {}
