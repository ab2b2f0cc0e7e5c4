import { once } from 'node:events';
import { type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newCa } from '../../test/support/test-ca.js';
import { SecretText } from '../common/secret-text.js';
import { StartError } from '../common/start-error.js';
import { ApiClient, ApiProblem } from './api-client.js';
import { SecretsClient } from './secrets-client.js';

type Answer = (response: ServerResponse) => void;

const json = (status: number, text: string): Answer => {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(text);
};

let server: Server;
let origin: string;
let ca: string;
let answer: Answer;

beforeAll(async () => {
  const authority = await newCa();
  const certificate = await authority.issue();
  ca = authority.pem;
  server = createServer({ cert: certificate.pem, key: certificate.key }, (request, response) => {
    request.resume();
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function newClient(timeoutMs?: number): SecretsClient {
  return new SecretsClient(
    new ApiClient({ url: new URL(origin), ca, bearer: new SecretText('key') }, timeoutMs),
  );
}

const calls: readonly [name: string, call: (client: SecretsClient) => Promise<unknown>][] = [
  ['put', (client) => client.put('a', { b: 'c' })],
  ['set', (client) => client.set('a', 'b', 'c')],
  ['read', (client) => client.read('a')],
  ['list', (client) => client.list('').next()],
];

describe.each(calls)('the client that calls %s', (_name, call) => {
  it.each([
    ['a page', '<html>hunter2</html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['text', '"hunter2"'],
    ['another object', '{}'],
    ['members of other types', '{"version":"1","data":{"a":1},"items":[{"name":"a"}],"nextCursor":null}'],
    ['JSON that is cut', '{"version":1,"data":{"a":"hunter2'],
  ])('takes no %s for the answer of the server, and shows nothing of it', async (_claim, text) => {
    answer = json(200, text);
    const refusal = new StartError(`${origin} gave no answer of this API: check API_URL`);
    await expect(call(newClient())).rejects.toEqual(refusal);
  });

  it('says that an answer ended too early, and shows nothing of it', async () => {
    answer = (response) => {
      response
        .writeHead(200, { 'content-length': 1000 })
        .write('{"data":{"a":"hunter2"}}', () => response.destroy());
    };
    const refusal = new StartError(`${origin} cannot be asked (ECONNRESET)`);
    await expect(call(newClient())).rejects.toEqual(refusal);
  });

  it.each<[string, Answer]>([
    ['never begins', () => {}],
    ['never ends', (response) => response.writeHead(200).write('{"data":{"a":"hunter2"}}')],
  ])('waits no longer than its time for an answer that %s', async (_claim, stuck) => {
    answer = stuck;
    const refusal = new StartError(`${origin} cannot be asked (no answer within 0.2 seconds)`);
    await expect(call(newClient(200))).rejects.toEqual(refusal);
  });
});

describe('a refusal', () => {
  it.each([
    ['nothing', '', '502: no reason given'],
    ['null', 'null', '502: no reason given'],
    ['a page', '<html>no</html>', '502: no reason given'],
    ['errors that are no list', '{"code":"E","detail":"no","errors":"x"}', '502 E: no'],
    ['errors of nothing', '{"code":"E","errors":[null,{"pointer":1}]}', '502 E: no reason given'],
    ['other types', '{"code":1,"detail":{"a":1},"errors":{}}', '502: no reason given'],
    ['several lines', String.raw`{"code":"E","detail":"no\n\u001b[2Jway"}`, '502 E: no  [2Jway'],
    [
      'fields that are wrong',
      '{"code":"E","errors":[{"pointer":"/a","detail":"must be b"},{"pointer":"","detail":"c"}]}',
      '502 E: a must be b, c',
    ],
  ])('is one line whatever its body is: %s', async (_claim, text, shown) => {
    answer = json(502, text);
    const refusal = new ApiProblem(`refused with ${shown}`, 502);
    await expect(newClient().read('a')).rejects.toEqual(refusal);
  });
});
