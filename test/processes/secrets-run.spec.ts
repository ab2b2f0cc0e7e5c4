import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CommandLineClient } from '../support/command-line-client.js';

/** Every call is a process of its own. */
jest.setTimeout(120_000);

describe('the command secrets run', () => {
  let client: CommandLineClient;
  let cli: CommandLineClient['run'];
  beforeAll(async () => {
    client = await CommandLineClient.create();
    cli = (...args) => client.run(...args);
  });
  afterAll(() => client.close());

  it('runs a command with secrets in its environment, and without the key that read them', async () => {
    await cli(['secrets', 'put', 'base'], {
      input: `URL="postgres://app:s3cr3t@db/app"\nMULTILINE='one\ntwo'\nEMPTY=`,
    });
    await cli(['secrets', 'put', 'more'], { input: 'EMPTY=no more\nPORT=1' });
    const script = `process.stdout.write(JSON.stringify([
      process.env.URL, process.env.MULTILINE, process.env.EMPTY, process.env.OWN,
      Object.keys(process.env).filter((name) => name.startsWith('API_')), process.argv.slice(1)])); process.exit(7)`;
    const args = [
      'secrets',
      'run',
      '--secret',
      'base',
      'more',
      '--',
      process.execPath,
      '-e',
      script,
      '--',
      '-x',
    ];
    const ran = await cli(args, { environment: { OWN: 'kept' } });
    expect(ran.exitCode).toBe(7);
    expect(JSON.parse(ran.output)).toEqual([
      'postgres://app:s3cr3t@db/app',
      'one\ntwo',
      'no more',
      'kept',
      [],
      ['-x'],
    ]);
  });

  it('says how a command ended that a signal ended, and which could not be started', async () => {
    await cli(['secrets', 'put', 'env'], { input: 'A=b' });
    const kill = 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)';
    expect((await cli(['secrets', 'run', '--', process.execPath, '-e', kill])).exitCode).toBe(143);
    const missing = await cli(['secrets', 'run', '--', 'no-such-program-here']);
    expect(missing).toEqual({ exitCode: 1, output: 'no-such-program-here cannot be started\n' });
  });

  it('forwards what a service manager sends, once, and leaves to the command what a terminal sends it', async () => {
    await cli(['secrets', 'put', 'env'], { input: 'A=b' });
    const script = `for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {
        console.log(signal);
        if (signal === 'SIGHUP') process.exit(5);
      });
      setTimeout(() => process.exit(9), 30_000);
      console.log('ready');`;
    const running = client.start(['secrets', 'run', '--', process.execPath, '-e', script]);
    await running.says('ready');
    running.signal('SIGINT');
    running.signal('SIGQUIT');
    running.signal('SIGTERM');
    await running.says('SIGTERM');
    running.signal('SIGHUP');
    expect(await running.exitCode()).toBe(5);
    expect(running.output).toBe('ready\nSIGTERM\nSIGHUP\n');
  });

  it('starts nothing with a value that no variable can have, and names it without showing it', async () => {
    await cli(['secrets', 'put', 'nul'], { input: String.raw`{"GOOD":"a","BAD":"hunter2-\u0000x"}` });
    const refusal = 'BAD: a NUL character, which the value of a variable cannot have\n';
    const ran = await cli(['secrets', 'run', '--secret', 'nul', '--', process.execPath, '-p', '"started"']);
    expect(ran).toEqual({ exitCode: 1, output: refusal });
    const exported = await cli(['secrets', 'export', '--secret', 'nul']);
    expect(exported).toEqual({ exitCode: 1, output: refusal });
  });

  it('says in one line that no command was given', async () => {
    await cli(['secrets', 'put', 'small'], { input: 'A=hidden-value' });
    const ran = await cli(['secrets', 'run', '--secret', 'small', '--', '']);
    expect(ran).toEqual({ exitCode: 1, output: 'the command is empty\n' });
  });
});
