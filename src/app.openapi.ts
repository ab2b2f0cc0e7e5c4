import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { createReadStream } from 'node:fs';
import { completeDocument } from './app.openapi-document.js';
import { NotFoundError } from './common/app-error.js';
import { APP_NAME } from './common/app-name.js';
import { loadSwagger } from './common/openapi.js';
import { refuseFields } from './common/validation.js';

/**
 * The page needs its own scripts and its style sheet, which sets inline styles, and nothing of any other
 * host. Still no inline script: a field that ends up in the page as HTML can't run.
 */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${APP_NAME}</title>
    <link rel="icon" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** Without a validator: Swagger UI would otherwise ask one on the Internet about the document. */
const START_SCRIPT = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });
`;

/** The files of swagger-ui-dist that the page uses. */
const assetTypes: Readonly<Record<string, string>> = {
  'favicon-32x32.png': 'image/png',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};

/** Serves the OpenAPI 3.1 document at /openapi.json and a page to try it at /docs. */
export function serveOpenApi(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  let document: Promise<OpenAPIObject> | undefined;

  fastify.get('/openapi.json', (request, reply) => {
    refuseFields(request.query);
    document ??= newDocument(app);
    return document.then((ready) => reply.send(ready));
  });
  fastify.get('/docs', (_request, reply) => send(reply, 'text/html; charset=utf-8', PAGE));
  fastify.get('/docs/start.js', (_request, reply) =>
    send(reply, 'text/javascript; charset=utf-8', START_SCRIPT),
  );
  fastify.get<{ Params: { file: string } }>('/docs/:file', (request, reply) => {
    const { file } = request.params;
    const type = Object.hasOwn(assetTypes, file) ? assetTypes[file] : undefined;
    if (type === undefined) throw new NotFoundError();
    return send(reply, type, createReadStream(new URL(import.meta.resolve(`swagger-ui-dist/${file}`))));
  });
}

function send(reply: FastifyReply, type: string, content: unknown): FastifyReply {
  return reply.header('Content-Security-Policy', DOCS_POLICY).type(type).send(content);
}

async function newDocument(app: NestFastifyApplication): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await loadSwagger();
  const info = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(APP_NAME)
    .setDescription('Register, log in, then send the access token with every request.')
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  const document = SwaggerModule.createDocument(app, info, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  completeDocument(document);
  return document;
}
