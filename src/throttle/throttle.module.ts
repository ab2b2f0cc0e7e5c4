import { Global, Module } from '@nestjs/common';
import { AttemptFailuresRepository } from './attempt-failures.repository.js';
import { AttemptFailuresSweeper } from './attempt-failures-sweeper.js';
import { AttemptThrottle } from './attempt-throttle.js';

@Global()
@Module({
  providers: [AttemptFailuresRepository, AttemptThrottle, AttemptFailuresSweeper],
  exports: [AttemptThrottle],
})
export class ThrottleModule {}
