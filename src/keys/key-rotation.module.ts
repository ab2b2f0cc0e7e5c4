import { Module } from '@nestjs/common';
import { KeyRotationScheduler } from './key-rotation.scheduler.js';

/** For the server only: a command rotates what it is told to and nothing else. */
@Module({ providers: [KeyRotationScheduler] })
export class KeyRotationModule {}
