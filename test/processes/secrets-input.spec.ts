import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CommandLineClient } from '../support/command-line-client.js';

const LINE_RULE = 'want NAME=value in UTF-8, in quotes that are closed once';

/** Every call is a process of its own. */
jest.setTimeout(120_000);

describe('what is given to the command secrets', () => {
  let client: CommandLineClient;
  beforeAll(async () => {
    client = await CommandLineClient.create();
  });
  afterAll(() => client.close());

  it.each<[string, string | Buffer, string]>([
    ['nothing', '', 'standard input has no variables'],
    ['one value', 'hunter2', `standard input, line 1: ${LINE_RULE}`],
    ['a list', '["hunter2"]', `standard input, line 1: ${LINE_RULE}`],
    ['JSON that is cut', '{"a":"hunter2', 'standard input is neither a JSON object nor KEY=value lines'],
    ['bytes that are no text', Buffer.from('A=hunter2\xff', 'latin1'), 'standard input is not UTF-8'],
    [
      'a key twice',
      '{"a":"hunter2","a":"hunter3"}',
      'standard input would be refused: the body has a key twice in one object',
    ],
    [
      'a reserved key',
      '{"__proto__":"hunter2"}',
      'standard input would be refused: the body has a reserved key',
    ],
  ])('writes no version of %s', async (_claim, input, reason) => {
    const put = await client.run(['secrets', 'put', 'refused'], { input });
    expect(put).toEqual({ exitCode: 1, output: `${reason}\n` });
    expect((await client.app.get('/v1/secrets/refused', client.owner.token)).status).toBe(404);
  });

  it.each<[string, string | Buffer, string]>([
    ['nothing', '', ' has no variables'],
    ['a line that is no variable', 'A=b\nPASSWORD: hunter2', `, line 2: ${LINE_RULE}`],
    ['a name that run refuses', 'A=b\nmy-var=hunter2', `, line 2: ${LINE_RULE}`],
    ['bytes that are no text', Buffer.from('A=hunter2\xff', 'latin1'), ' is not UTF-8'],
  ])('imports no file of %s', async (_claim, text, reason) => {
    await writeFile(client.file('bad.env'), text);
    const imported = await client.run(['secrets', 'import', client.file('bad.env'), '--secret', 'refused']);
    expect(imported).toEqual({ exitCode: 1, output: `${client.file('bad.env')}${reason}\n` });
    expect((await client.app.get('/v1/secrets/refused', client.owner.token)).status).toBe(404);
  });

  it('takes a byte order mark for a part of a value, and of nothing else', async () => {
    await writeFile(client.file('marked.env'), '\u{FEFF}A=b\n');
    await client.run(['secrets', 'import', client.file('marked.env'), '--secret', 'imported']);
    await client.run(['secrets', 'put', 'lines'], { input: '\u{FEFF}A=b\n' });
    await client.run(['secrets', 'put', 'object'], { input: '\u{FEFF}{"A":"b"}' });
    for (const name of ['imported', 'lines', 'object']) {
      const { members } = await client.app.get(`/v1/secrets/${name}`, client.owner.token);
      expect({ name, data: members['data'] }).toEqual({ name, data: { A: 'b' } });
    }
    await client.run(['secrets', 'put', 'value', '--key', 'A'], { input: '\u{FEFF}b\n' });
    const { members } = await client.app.get('/v1/secrets/value', client.owner.token);
    expect(members['data']).toEqual({ A: '\u{FEFF}b' });
  });

  it('stores no value that is no text', async () => {
    const input = Buffer.from('hunter2\xff', 'latin1');
    const put = await client.run(['secrets', 'put', 'refused', '--key', 'A'], { input });
    expect(put).toEqual({ exitCode: 1, output: 'standard input is not UTF-8\n' });
  });
});
