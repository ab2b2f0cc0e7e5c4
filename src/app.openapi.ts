import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/**
 * The page needs its own scripts and its inline style sheet, and nothing of any other host. Still no
 * inline script: a field that ends up in the page as HTML can't run.
 */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/** Serves the OpenAPI 3.1 document at /openapi.json and a page to try it at /docs. */
export function serveOpenApi(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (request.url.startsWith('/docs')) reply.header('Content-Security-Policy', DOCS_POLICY);
      done();
    });
  SwaggerModule.setup('docs', app, () => newDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'NestJS Secure API Starter',
    swaggerOptions: { validatorUrl: null, persistAuthorization: false },
  });
}

function newDocument(app: NestFastifyApplication): OpenAPIObject {
  const info = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('NestJS Secure API Starter')
    .setDescription('Register, log in, then send the access token with every request.')
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  return SwaggerModule.createDocument(app, info, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
}
