import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Build } from '../support/built-server.js';
import { inNetworkOf, inOwnNetwork, listenOutcome } from '../support/network-namespace.js';
import { environmentIn } from '../support/test-app.js';

const WITHOUT_RIGHT = [...inOwnNetwork(), 'setpriv', '--bounding-set', '-net_bind_service'];
const SETTING = '/proc/sys/net/ipv6/conf/all/disable_ipv6';
/** A system may be without it altogether. */
const WITHOUT_IPV6 = inOwnNetwork(`[ ! -e ${SETTING} ] || echo 1 > ${SETTING}`);

describe('a server', () => {
  let build: Build;
  let directory: string;
  let environment: Readonly<Record<string, string>>;
  beforeAll(async () => {
    build = await Build.create();
    directory = await mkdtemp(join(build.directory, 'data-'));
    environment = { ...environmentIn(directory), HOST: 'localhost' };
  });
  afterAll(() => build.remove());

  it.each([
    ['PORT', { PORT: '443' }, 443],
    ['HTTP_REDIRECT_PORT', { HTTP_REDIRECT_PORT: '80' }, 80],
  ])(
    'without the right to a port below 1024 says so in one line and exits with 1: %s',
    async (variable, ports, port) => {
      expect(await listenOutcome(inOwnNetwork(), '127.0.0.1', port)).toBe('listening');
      expect(await listenOutcome(WITHOUT_RIGHT, '127.0.0.1', port)).toBe('EACCES');
      const server = build.run('main.js', [], { ...environment, ...ports }, WITHOUT_RIGHT);
      expect(await server.exitCode()).toBe(1);
      expect(server.output).toBe(
        `cannot start: port ${port} on localhost needs a right this user lacks: set ${variable} to 1024 or above\n`,
      );
    },
  );

  it('on localhost serves IPv4 alone, redirects too, where there is no IPv6', async () => {
    expect(await listenOutcome(WITHOUT_IPV6, '::1', 3443)).toMatch(/^(EADDRNOTAVAIL|EAFNOSUPPORT)$/);
    const ports = { PORT: '3443', HTTP_REDIRECT_PORT: '3080' };
    const server = build.run('main.js', [], { ...environment, ...ports }, WITHOUT_IPV6);
    expect(await server.url()).toBe('https://localhost:3443');
    const ca = join(directory, 'certs', 'ca.pem');
    const ask = (...args: string[]) =>
      inNetworkOf(server.pid, ['curl', '--silent', '--show-error', '--cacert', ca, ...args]);
    expect(await ask('https://localhost:3443/health/live')).toBe('{"status":"ok"}');
    expect(await ask('--write-out', '%{http_code}', 'http://localhost:3080/')).toBe('308');
    expect(await server.stop()).toBe(0);
  });

  it('on an IPv6 address says in one line that there is none', async () => {
    const server = build.run('main.js', [], { ...environment, HOST: '::1' }, WITHOUT_IPV6);
    expect(await server.exitCode()).toBe(1);
    expect(server.output).toBe('cannot start: address ::1 is not on this machine: set HOST\n');
  });
});
