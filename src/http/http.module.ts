import { type DynamicModule, Module } from '@nestjs/common';
import { RateLimits } from './rate-limits.js';

/** Provides `RateLimits` everywhere. The server had to have them before there were modules. */
@Module({})
export class HttpModule {
  static forRoot(rateLimits: RateLimits): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      providers: [{ provide: RateLimits, useValue: rateLimits }],
      exports: [RateLimits],
    };
  }
}
