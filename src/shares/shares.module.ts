import { Module } from '@nestjs/common';
import { ShareCiphertextsRepository } from './share-ciphertexts.repository.js';
import { SharePageController } from './share-page.controller.js';
import { ShareRevealsService } from './share-reveals.service.js';
import { ShareSweeper } from './share-sweeper.js';
import { SharesController } from './shares.controller.js';
import { SharesReencryption } from './shares.reencryption.js';
import { SharesRepository } from './shares.repository.js';
import { SharesService } from './shares.service.js';

@Module({
  controllers: [SharesController, SharePageController],
  providers: [
    SharesRepository,
    SharesService,
    ShareRevealsService,
    ShareSweeper,
    ShareCiphertextsRepository,
    SharesReencryption,
  ],
})
export class SharesModule {}
