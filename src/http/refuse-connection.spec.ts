import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { refuseConnection } from './refuse-connection.js';

/** What the parser says of each further piece, too. */
const ERROR = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_METHOD' });

describe('refuseConnection', () => {
  let socket: PassThrough;
  beforeEach(() => {
    socket = new PassThrough();
  });

  function refuseOften(): void {
    for (let times = 0; times < 20; times += 1) refuseConnection(ERROR, socket, {});
  }

  it('answers once and leaves the answer its time, however much more is no request', () => {
    const written: Buffer[] = [];
    socket.on('data', (data: Buffer) => written.push(data));
    refuseOften();
    expect(
      Buffer.concat(written)
        .toString()
        .match(/HTTP\/1\.1 400 /g),
    ).toHaveLength(1);
    expect(socket.destroyed).toBe(false);
  });

  it('waits for an earlier answer once', () => {
    const earlier = Object.assign(new EventEmitter(), { req: { complete: true } });
    Object.assign(socket, { _httpMessage: earlier });
    refuseOften();
    expect(earlier.listenerCount('close')).toBe(1);
    expect(socket.writableLength + socket.readableLength).toBe(0);
  });

  it('cuts off what is no HTTP at all', () => {
    refuseConnection(Object.assign(new Error('reset'), { code: 'ECONNRESET' }), socket, {});
    expect(socket.destroyed).toBe(true);
  });
});
