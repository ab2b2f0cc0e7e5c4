import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { createReadStream } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { problemResponse } from './common/api-problems.js';
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

/** What any request can meet, whatever its route. */
const ANSWERS_TO_ALL = [400, 408, 414, 421, 429, 431, 500, 503] as const;
/** The same of methods whose body is read, if there is one. */
const ANSWERS_TO_BODIES = [413, 415] as const;
const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

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
  addAnswersToAll(document);
  return document;
}

/** A route that says more of one of these answers keeps what it says. */
function addAnswersToAll({ paths, components = {} }: OpenAPIObject): void {
  const all = [...ANSWERS_TO_ALL, ...ANSWERS_TO_BODIES];
  components.responses = Object.fromEntries(all.map((status) => [nameOf(status), problemResponse(status)]));
  for (const path of Object.values(paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation) continue;
      for (const status of method === 'get' ? ANSWERS_TO_ALL : all) {
        operation.responses[status] ??= { $ref: `#/components/responses/${nameOf(status)}` };
      }
    }
  }
}

function nameOf(status: number): string {
  return STATUS_CODES[status]?.replaceAll(' ', '') ?? String(status);
}
