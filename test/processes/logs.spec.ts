import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Build, type Running } from '../support/built-server.js';
import { secretMarkers, spellings, type Written, writeMarkers } from '../support/markers.js';
import { environmentIn } from '../support/test-app.js';

describe('the log at its most talkative', () => {
  let build: Build;
  let server: Running;
  let written: Written;
  let requestId: unknown;
  let exitCode: unknown;
  beforeAll(async () => {
    build = await Build.create();
    server = build.run('main.js', [], { ...environmentIn(build.directory), LOG_LEVEL: 'trace' });
    const client = await server.client(join(build.directory, 'certs'));
    written = await writeMarkers(client, Date.now());
    requestId = (await client.get('/v1/users/me')).headers['x-request-id'];
    client.close();
    exitCode = await server.stop();
  });
  afterAll(() => build.remove());

  it('has none of the values that a client wrote or got to be kept secret', () => {
    for (const [name, value] of Object.entries({ ...secretMarkers, ...written })) {
      const found = spellings(value).filter((spelling) => server.output.includes(spelling));
      expect({ name, found }).toEqual({ name, found: [] });
    }
  });

  it('is one JSON object a line, with the request id that the caller was given', () => {
    const json = server.output.split('\n').filter((line) => line.startsWith('{'));
    const lines = json.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        msg: 'request',
        requestId,
        route: '/v1/users/me',
        status: 401,
      }),
    );
    expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('ends with the process, which a signal stops without a fault', () => {
    expect(exitCode).toBe(0);
    expect(server.output).toContain('"msg":"stopping"');
  });
});
