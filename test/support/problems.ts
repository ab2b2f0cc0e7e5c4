import { expect } from '@jest/globals';
import { type ErrorCode, problemCatalogue } from '../../src/common/problem-catalogue.js';
import { securityHeaders } from '../../src/common/security-headers.js';
import { type HttpsResponse } from './https-client.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What every refusal owes its caller, whatever refused (RFC 9457 and the contract of this API). */
export function expectProblem(response: HttpsResponse, code: ErrorCode): Readonly<Record<string, unknown>> {
  const { headers, status } = response;
  expect({ status, body: response.text }).toMatchObject({ status: problemCatalogue[code].status });
  expect(headers['content-type']).toMatch(/^application\/problem\+json(;|$)/);
  expect(headers['x-request-id']).toMatch(UUID);
  expect(headers['cache-control']).toBe('no-store');
  expect(response.members).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    code,
    instance: headers['x-request-id'],
  });
  expectSecurityHeaders(response);
  if (status === 401) expect(headers['www-authenticate']).toMatch(/^Bearer/);
  if (status === 503) expect(headers['retry-after']).toMatch(/^\d+$/);
  return response.members;
}

/** The JSON pointers of the fields that a 400 complains of. */
export function badFields(response: HttpsResponse): string[] {
  const { errors } = expectProblem(response, 'ERR_VALIDATION');
  return (errors as { readonly pointer: string }[]).map(({ pointer }) => pointer);
}

/** @param isPage - its policy may let in more, from this server */
export function expectSecurityHeaders({ headers }: Pick<HttpsResponse, 'headers'>, isPage = false): void {
  const { 'content-security-policy': policy, ...always } = securityHeaders;
  expect(headers).toMatchObject(always);
  if (isPage) {
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';/);
    expect(headers['content-security-policy']).not.toMatch(/unsafe|http|\*/);
  } else {
    expect(headers['content-security-policy']).toBe(policy);
  }
  expect(headers).not.toHaveProperty('server');
  expect(headers).not.toHaveProperty('x-powered-by');
}
