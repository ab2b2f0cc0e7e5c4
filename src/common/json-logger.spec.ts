import { describe, expect, it } from '@jest/globals';
import { JsonLogger, SHIPPED_CONTEXT } from './json-logger.js';

/** A logger and all that it has written. */
function newLogger(level = 'trace') {
  const written: string[] = [];
  const logger = new JsonLogger(level, { write: (line: string) => written.push(line) });
  return { logger, written, last: () => JSON.parse(written.at(-1) ?? '') as Record<string, unknown> };
}

describe('JsonLogger', () => {
  it('writes one JSON object a line with level, time and context', () => {
    const { logger, written, last } = newLogger();
    logger.warn('attention', 'Auth');
    expect(written.join('')).toMatch(/^\{.*\}\n$/);
    expect(last()).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      context: 'Auth',
      msg: 'attention',
    });
  });

  it('writes fields beside the message', () => {
    const { logger, last } = newLogger();
    logger.log({ sessionId: 's1' }, 'ended', 'Sessions');
    expect(last()).toMatchObject({ level: 'info', sessionId: 's1', msg: 'ended', context: 'Sessions' });
  });

  it.each([
    'password',
    'currentPassword',
    'newPassword',
    'accessToken',
    'refreshToken',
    'token',
    'secret',
    'authorization',
    'cookie',
    'data',
    'email',
    'key',
    'privateKey',
    'passphrase',
  ])('redacts the field %s down to two levels below the top', (name) => {
    const { logger, written } = newLogger();
    logger.log({ [name]: 'hunter2', a: { [name]: 'hunter2', b: { [name]: 'hunter2' } } }, 'x', 'X');
    logger.error({ requestId: 'r', body: { [name]: { nested: 'hunter2' } } }, 'x', 'X');
    expect(written.join('')).not.toContain('hunter2');
    expect(written.join('').match(/\[redacted\]/g)).toHaveLength(4);
  });

  it('lets nobody forge a line or reach the terminal', () => {
    const { logger, written, last } = newLogger();
    const hostile = 'x\r\n{"level":"fatal","msg":"forged"}\n\u001b[31mred\u0007\u2028';
    logger.log({ userAgent: hostile }, hostile, hostile);
    expect(written).toHaveLength(1);
    const line = written[0]?.slice(0, -1) ?? '';
    expect(['\r', '\n', '\u001b', '\u0007'].filter((character) => line.includes(character))).toEqual([]);
    expect(last()).toMatchObject({ level: 'info', msg: hostile, userAgent: hostile });
  });

  it('names the key of a ciphertext that cannot be decrypted', () => {
    const { logger, last } = newLogger();
    logger.error({ err: Object.assign(new Error('x'), { keyId: '0123456789abcdef' }) }, 'failed', 'Fault');
    expect(last()).toMatchObject({ err: { keyId: '0123456789abcdef' } });
  });

  it('writes the type, message and stack of an error and its causes, and no other property of it', () => {
    const { logger, written, last } = newLogger();
    const cause = Object.assign(new RangeError('inner'), { parameters: ['hunter2'] });
    const error = Object.assign(new TypeError('outer', { cause }), {
      code: 'ERR_X',
      detail: 'hunter2',
      query: { a: 1 },
    });
    logger.error({ requestId: 'r', err: error }, 'a request failed', 'Fault');
    expect(last()).toMatchObject({ requestId: 'r', err: { type: 'TypeError', code: 'ERR_X' } });
    expect(written.join('')).toContain('inner');
    expect(written.join('')).not.toContain('hunter2');
  });

  it('writes no values of an error that is logged as the message itself', () => {
    const { logger, written, last } = newLogger();
    logger.error(Object.assign(new Error('broken'), { parameters: ['hunter2'] }), 'Database');
    expect(last()).toMatchObject({ level: 'error', context: 'Database', msg: 'broken' });
    expect(written.join('')).not.toContain('hunter2');
  });

  it('writes the line of a request, with its status or that it was aborted', () => {
    const { logger, written } = newLogger();
    const request = { requestId: 'r', method: 'GET', route: '/', durationMs: 1, ip: '::1' };
    logger.request({ ...request, status: 204 });
    logger.request({ ...request, status: undefined });
    logger.log('next', 'X');
    const [answered, aborted] = written.join('').split('\n');
    const line = { ...request, level: 'info', time: expect.any(String), msg: 'request' };
    expect(JSON.parse(answered ?? '')).toEqual({ ...line, status: 204 });
    expect(JSON.parse(aborted ?? '')).toEqual({ ...line, aborted: true });
  });

  it.each([
    ['warn', 1],
    ['fatal', 1],
    ['silent', 0],
  ])('writes what leaves the machine at level %s', (level, lines) => {
    const { logger, written } = newLogger(level);
    logger.log({ seq: 1 }, 'audit checkpoint', SHIPPED_CONTEXT);
    expect(written).toHaveLength(lines);
  });

  it('writes nothing below its level', () => {
    const { logger, written } = newLogger('warn');
    logger.log('info', 'X');
    logger.debug('debug', 'X');
    logger.verbose('trace', 'X');
    expect(written).toEqual([]);
    logger.fatal('fatal', 'X');
    expect(written).toHaveLength(1);
  });
});
