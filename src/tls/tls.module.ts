import { type DynamicModule, Module } from '@nestjs/common';
import { ServedCertificate } from './served-certificate.js';

/** Provides `ServedCertificate` everywhere. The server had to have it before there were modules. */
@Module({})
export class TlsModule {
  static forRoot(served: ServedCertificate): DynamicModule {
    return {
      module: TlsModule,
      global: true,
      providers: [{ provide: ServedCertificate, useValue: served }],
      exports: [ServedCertificate],
    };
  }
}
