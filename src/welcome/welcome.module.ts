import { type DynamicModule, Module } from '@nestjs/common';
import { CERTIFICATE_EXPIRY, WelcomeController } from './welcome.controller.js';

@Module({ controllers: [WelcomeController] })
export class WelcomeModule {
  static forRoot(certificateExpiry: Date): DynamicModule {
    return {
      module: WelcomeModule,
      providers: [{ provide: CERTIFICATE_EXPIRY, useValue: certificateExpiry }],
    };
  }
}
