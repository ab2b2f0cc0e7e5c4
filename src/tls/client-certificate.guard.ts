import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { type IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { AppError } from '../common/app-error.js';
import { type ClientCertificate, clientCertificateOf } from './client-certificate.js';

class ClientCertificateRequiredError extends AppError {
  constructor() {
    super('ERR_CLIENT_CERTIFICATE_REQUIRED');
  }
}

interface CertifiedRequest {
  readonly raw: IncomingMessage;
  clientCertificate?: ClientCertificate;
}

/** Lets a request through when its connection was made with a client certificate. */
@Injectable()
class ClientCertificateGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<CertifiedRequest>();
    const { socket } = request.raw;
    const certificate = socket instanceof TLSSocket ? clientCertificateOf(socket) : undefined;
    if (certificate === undefined) throw new ClientCertificateRequiredError();
    request.clientCertificate = certificate;
    return true;
  }
}

/**
 * The route demands a client certificate, beside what `@Public()` or `@RequirePermission()` says. While
 * `TLS_CLIENT_AUTH` is off nobody has one.
 */
export const RequireClientCertificate = () => applyDecorators(UseGuards(ClientCertificateGuard));

/** The certificate of the client. Only for routes with `@RequireClientCertificate()`. */
export const CurrentClientCertificate = createParamDecorator(
  (_data: unknown, context: ExecutionContext): ClientCertificate => {
    const { clientCertificate } = context.switchToHttp().getRequest<CertifiedRequest>();
    if (clientCertificate === undefined) throw new Error('a route without the guard asked for a certificate');
    return clientCertificate;
  },
);
