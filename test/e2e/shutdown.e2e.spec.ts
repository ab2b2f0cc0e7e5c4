import { once } from 'node:events';
import { type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, newAccount } from '../support/accounts.js';
import { forEachDatabase } from '../support/for-each-database.js';
import { type TestApp } from '../support/test-app.js';

describe('a stop', () => {
  forEachDatabase((newApp) => {
    let app: TestApp;
    let user: Account;
    beforeAll(async () => {
      app = await newApp();
      user = await newAccount(app);
    });
    afterAll(() => app.close());

    it('lets a request in flight finish and refuses new connections', async () => {
      const stopping = await app.newInstance();
      const server = stopping.nest.getHttpServer() as Server;
      const { port } = new URL(stopping.url);
      const body = '{"name":"in flight"}';
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca: stopping.ca });
      const answer = text(socket);
      const head = [
        'POST /v1/contacts HTTP/1.1',
        'Host: localhost',
        `Authorization: Bearer ${user.token}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
      await once(server, 'request');

      const closed = stopping.close();
      while (server.listening) await new Promise((resolve) => setImmediate(resolve));
      const late = connect({ host: '127.0.0.1', port: Number(port), ca: stopping.ca });
      const [refusal] = (await once(late, 'error')) as [NodeJS.ErrnoException];
      expect(refusal.code).toBe('ECONNREFUSED');

      socket.write(body.slice(5));
      expect(await answer).toMatch(/^HTTP\/1\.1 201 Created\r\n(.+\r\n)*connection: close\r\n/i);
      await closed;
      const { items } = await app.get('/v1/contacts', user.token);
      expect(items).toMatchObject([{ name: 'in flight' }]);
    });

    it('ends idle connections at once', async () => {
      const stopping = await app.newInstance();
      const { port } = new URL(stopping.url);
      const idle = connect({ host: '127.0.0.1', port: Number(port), ca: stopping.ca });
      await once(idle, 'secureConnect');
      idle.resume().write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(idle, 'data');
      await Promise.all([once(idle, 'close'), stopping.close()]);
      expect(idle.destroyed).toBe(true);
    });
  });
});
