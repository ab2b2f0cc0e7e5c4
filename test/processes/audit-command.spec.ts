import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditService } from '../../src/audit/audit.service.js';
import { anEvent } from '../support/audit-log.js';
import { Build } from '../support/built-server.js';
import { environmentIn, newTestApp } from '../support/test-app.js';

const EVENTS = 2_500;

describe('the command line', () => {
  let build: Build;
  let environment: Record<string, string>;
  let shipped: string;
  beforeAll(async () => {
    build = await Build.create();
    const directory = await mkdtemp(join(build.directory, 'data-'));
    shipped = join(directory, 'checkpoints');
    environment = { ...environmentIn(directory), AUDIT_CHECKPOINT_FILE: shipped };
    const app = await newTestApp({ environment });
    const audit = app.nest.get(AuditService, { strict: false });
    const value = 'Ada@Example.com';
    await audit.record({ ...anEvent, actor: null, action: 'auth.login-failed', outcome: 'failure', value });
    await Promise.all(Array.from({ length: EVENTS - 1 }, () => audit.record(anEvent)));
    await app.close();
  });
  afterAll(() => build.remove());

  async function audit(
    args: readonly string[],
    input: string | Buffer = '',
  ): Promise<{ code: unknown; output: string }> {
    const command = build.run(join('cli', 'main.js'), ['audit', ...args], environment).type(input);
    const code = await command.exitCode();
    return { code, output: command.output };
  }

  it('verifies the log and what left the machine', async () => {
    const { code, output } = await audit(['verify', '--checkpoints', shipped]);
    expect(output).toMatch(new RegExp(`^compared [1-9]\\d* checkpoints\nverified ${EVENTS} events\n$`));
    expect(code).toBe(0);
  });

  it('ends an export without a word when nobody reads it any more', async () => {
    const command = build.run(join('cli', 'main.js'), ['audit', 'export'], environment).stopReading();
    expect(await command.exitCode()).toBe(141);
    expect(command.output).toBe('');
  });

  it('compares the checkpoints among other lines of a log', async () => {
    const log = join(build.directory, 'log');
    const lines = (await readFile(shipped, 'utf8')).trimEnd().split('\n');
    await writeFile(log, ['{"msg":"request"}', 'no JSON', 'null', '[1]', ...lines, '{"seq":1}'].join('\n'));
    const { output } = await audit(['verify', '--checkpoints', log]);
    expect(output).toContain(`compared ${lines.length} checkpoints\n`);
  });

  it('refuses checkpoints that are forged, absent or not to be read', async () => {
    const forged = join(build.directory, 'forged');
    const [first = ''] = (await readFile(shipped, 'utf8')).split('\n');
    await writeFile(forged, first.replace(/"seq":\d+/, '"seq":7'));
    expect(await audit(['verify', '--checkpoints', forged])).toMatchObject({
      code: 1,
      output: expect.stringContaining('event 7 has a checkpoint that was changed\n'),
    });
    const empty = join(build.directory, 'empty');
    await writeFile(empty, '{"msg":"request"}\n');
    expect(await audit(['verify', '--checkpoints', empty])).toMatchObject({
      code: 1,
      output: expect.stringContaining(`${empty} has no checkpoints\n`),
    });
    expect(await audit(['verify', '--checkpoints', 'absent'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('absent cannot be read\n'),
    });
  });

  it('names the first event that was changed and ends with 1', async () => {
    const database = new DatabaseSync(join(environment['DATA_DIR'] ?? '', 'app.db'));
    database.exec("update audit_events set ip = '198.51.100.7' where seq = 17");
    expect(await audit(['verify'])).toEqual({ code: 1, output: 'event 17 was changed\n' });
    database.exec("update audit_events set ip = '192.0.2.1' where seq = 17");
    database.close();
    expect(await audit(['verify'])).toMatchObject({ code: 0 });
  });

  it('exports every event as one line, or those after one', async () => {
    const { output, code } = await audit(['export']);
    const lines = output.trimEnd().split('\n');
    expect([code, lines.length]).toEqual([0, EVENTS]);
    expect(JSON.parse(lines[1] ?? '')).toEqual({
      ...anEvent,
      seq: 2,
      at: expect.stringMatching(/Z$/),
      mac: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(output).not.toContain('xample');
    const { output: rest } = await audit(['export', '--after', String(EVENTS - 1)]);
    expect(rest).toBe(`${lines.at(-1)}\n`);
    expect(await audit(['export', '--after', 'x'])).toMatchObject({ code: 1 });
  });

  it('finds events by a value that the log does not hold', async () => {
    const found = await audit(['contains'], 'ada@example.com\n');
    expect([found.code, JSON.parse(found.output)]).toEqual([
      0,
      expect.objectContaining({ seq: 1, action: 'auth.login-failed' }),
    ]);
    const absent = { code: 1, output: 'no event is about this value\n' };
    expect(await audit(['contains'], 'bob@example.com')).toEqual(absent);
    expect(await audit(['contains'], 'secret:1')).toEqual(absent);
    expect(await audit(['contains'])).toEqual({ code: 1, output: 'no value was given\n' });
    const latin1 = await audit(['contains'], Buffer.from('jos\u00e9', 'latin1'));
    expect(latin1).toEqual({ code: 1, output: 'standard input is not UTF-8\n' });
  });
});
