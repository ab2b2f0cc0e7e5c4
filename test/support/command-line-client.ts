import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, newAccount } from './accounts.js';
import { Build, type Running } from './built-server.js';
import { newTestApp, type TestApp } from './test-app.js';

interface Invocation {
  readonly input: string | Buffer;
  readonly environment: Readonly<Record<string, string>>;
  /** None when it is empty. */
  readonly token: string;
}

/** The compiled command line as a client of a running server, where it signs in as `owner`. */
export class CommandLineClient {
  private constructor(
    readonly build: Build,
    readonly app: TestApp,
    readonly owner: Account,
    private readonly directory: string,
  ) {}

  static async create(): Promise<CommandLineClient> {
    const [build, app] = await Promise.all([Build.create(), newTestApp()]);
    const directory = await mkdtemp(join(tmpdir(), 'command-line-'));
    return new CommandLineClient(build, app, await newAccount(app), directory);
  }

  /** The path of a file in a directory that is removed at the end. */
  file(name: string): string {
    return join(this.directory, name);
  }

  start(
    args: readonly string[],
    { environment = {}, token = this.owner.token }: Partial<Invocation> = {},
  ): Running {
    return this.build.run('cli/main.js', args, {
      API_URL: this.app.url,
      API_CA_FILE: join(this.app.environment['CERTS_DIR'] ?? '', 'ca.pem'),
      ...(token === '' ? {} : { API_KEY: token }),
      ...environment,
    });
  }

  async run(args: readonly string[], invocation: Partial<Invocation> = {}) {
    const running = this.start(args, invocation).type(invocation.input ?? '');
    const exitCode = await running.exitCode();
    return { exitCode, output: running.output };
  }

  async close(): Promise<void> {
    await this.app.close();
    await Promise.all([this.build.remove(), rm(this.directory, { recursive: true })]);
  }
}
