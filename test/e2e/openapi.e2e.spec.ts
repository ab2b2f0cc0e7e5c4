import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemCatalogue } from '../../src/common/problem-catalogue.js';
import { cells } from '../support/route-matrix.js';
import { newTestApp, type TestApp } from '../support/test-app.js';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, object>>;
  readonly requestBody?: object;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDetails' } } };
const READING = ['400', '408', '414', '421', '429', '431', '500', '503'];
const WRITING = [...READING, '413', '415'];

describe('the OpenAPI document', () => {
  let app: TestApp;
  let document: Document;
  let operations: Map<string, Operation>;
  beforeAll(async () => {
    app = await newTestApp();
    document = (await app.get('/openapi.json')).body as Document;
    operations = new Map(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
      ),
    );
  });
  afterAll(() => app.close());

  /** What a reference leads to. */
  function resolve(reference: string): unknown {
    const steps = reference.replace(/^#\//, '').split('/');
    return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document);
  }

  function resolved(response: object | undefined): unknown {
    return response && '$ref' in response ? resolve(String(response.$ref)) : response;
  }

  it('is of version 3.1, names each operation once and refers to nothing that is not there', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference = ''] of references) {
      expect({ reference, to: resolve(reference) }).toEqual({ reference, to: expect.any(Object) });
    }
  });

  it('says of every operation what any request can meet, as a problem document', () => {
    for (const [name, { responses }] of operations) {
      for (const status of name.startsWith('GET ') ? READING : WRITING) {
        const response = resolved(responses[status]);
        expect({ name, status, response }).toMatchObject({
          response: { description: expect.any(String), content: PROBLEM },
        });
      }
    }
  });

  it('says of every operation what the matrix of routes gets from it', () => {
    const missing = cells
      .map(({ route, status }) => ({ name: route.replaceAll(/:(\w+)/g, '{$1}'), status }))
      .filter(({ name, status }) => operations.has(name) && !operations.get(name)?.responses[status]);
    expect(missing).toEqual([]);
  });

  it('knows no refusal that the catalogue of errors does not', () => {
    const statuses = new Set(Object.values(problemCatalogue).map(({ status }) => String(status)));
    const listed = [...operations.values()].flatMap(({ responses }) => Object.keys(responses));
    expect(listed.filter((status) => Number(status) >= 400 && !statuses.has(status))).toEqual([]);
  });
});
