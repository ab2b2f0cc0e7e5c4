import { type OpenAPIObject } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import { problemResponse } from './common/api-problems.js';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['get']>;
type Responses = Operation['responses'];
type Components = NonNullable<OpenAPIObject['components']>;
type SchemaOrReference = NonNullable<Components['schemas']>[string];
type Schema = Exclude<SchemaOrReference, { $ref: string }>;

/** What any request can meet, whatever its route; the size of a body is looked at also where none is read. */
const ANSWERS_TO_ALL = [400, 408, 413, 414, 421, 429, 431, 500, 503] as const;
/** The same of methods whose body is read, if there is one. */
const ANSWERS_TO_BODIES = [415] as const;
const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

const text = { schema: { type: 'string' } } as const;
const headers = {
  'X-Request-Id': {
    description: 'of this request, as in the log',
    schema: { type: 'string', format: 'uuid' },
  },
  'Retry-After': { description: 'seconds', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: 'the challenge (RFC 6750)', ...text },
} as const;
type HeaderName = keyof typeof headers;
/** Beside the request id, which every answer has. */
const headersOfStatus: Readonly<Record<string, HeaderName>> = {
  401: 'WWW-Authenticate',
  429: 'Retry-After',
  503: 'Retry-After',
};

/** Adds to the routes what holds for all of them. A route that says more of an answer keeps what it says. */
export function completeDocument({ paths, components = {} }: OpenAPIObject): void {
  const all = [...ANSWERS_TO_ALL, ...ANSWERS_TO_BODIES];
  components.headers = headers;
  components.responses = Object.fromEntries(all.map((status) => [nameOf(status), problemResponse(status)]));
  for (const status of all) addHeaders(String(status), components.responses[nameOf(status)]);
  for (const [method, operation] of operationsOf(paths)) {
    addAnswers(operation.responses, method === 'get' ? ANSWERS_TO_ALL : all);
    describeBody(operation, components);
  }
}

function operationsOf(paths: Paths): [string, Operation][] {
  return Object.values(paths).flatMap((path) =>
    METHODS.flatMap((method): [string, Operation][] => {
      const operation = path[method];
      return operation ? [[method, operation]] : [];
    }),
  );
}

function addAnswers(responses: Responses, statuses: readonly number[]): void {
  for (const status of statuses) {
    responses[status] ??= { $ref: `#/components/responses/${nameOf(status)}` };
  }
  for (const [status, response] of Object.entries(responses)) addHeaders(status, response);
}

function addHeaders(status: string, response: Responses[string]): void {
  if (!response || '$ref' in response) return;
  const more = headersOfStatus[status];
  for (const name of ['X-Request-Id' as const, ...(more ? [more] : [])]) {
    response.headers = { ...response.headers, [name]: { $ref: `#/components/headers/${name}` } };
  }
}

/** A body has no fields but those that are described, and an example that can be sent as it is. */
function describeBody({ requestBody }: Operation, { schemas = {} }: Components): void {
  if (!requestBody || '$ref' in requestBody) return;
  for (const media of Object.values(requestBody.content)) {
    const schema = resolve(media.schema, schemas);
    if (!schema?.properties) continue;
    schema.additionalProperties = false;
    media.example = exampleOfBody(schema);
  }
}

/**
 * What is required, and what has an example of its own. A page that made the example itself would fill in every field:
 * an expiry of now, which is refused.
 */
function exampleOfBody({ properties = {}, required = [] }: Schema): object {
  const fields = Object.entries(properties).filter(
    ([name, field]) => required.includes(name) || ('example' in field && field.example !== undefined),
  );
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field)]));
}

function exampleOf(field: SchemaOrReference | undefined): unknown {
  if (!field || '$ref' in field) return undefined;
  if (field.example !== undefined) return field.example;
  if (field.enum) return field.enum[0];
  if (field.type === 'array') return [exampleOf(field.items)];
  return field.type === 'integer' ? (field.minimum ?? 0) : String(field.type);
}

function resolve(
  schema: SchemaOrReference | undefined,
  schemas: Readonly<Record<string, SchemaOrReference>>,
): Schema | undefined {
  if (!schema || !('$ref' in schema)) return schema;
  return resolve(schemas[schema.$ref.split('/').at(-1) ?? ''], schemas);
}

function nameOf(status: number): string {
  return STATUS_CODES[status]?.replaceAll(' ', '') ?? String(status);
}
