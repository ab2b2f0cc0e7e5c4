import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { transformFile } from '@swc/core';
import { HttpsClient } from './https-client.js';

const SOURCE = resolve('src');

/** The sources, compiled into a directory of their own that looks like a clone after `npm run build`. */
export class Build {
  readonly #started: Running[] = [];

  private constructor(readonly directory: string) {}

  static async create(): Promise<Build> {
    const directory = await mkdtemp(join(tmpdir(), 'built-server-'));
    const names = await readdir(SOURCE, { recursive: true });
    const modules = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    await Promise.all(modules.map((name) => compile(name, directory)));
    await cp('package.json', join(directory, 'package.json'));
    await cp('lists', join(directory, 'lists'), { recursive: true });
    await symlink(resolve('node_modules'), join(directory, 'node_modules'));
    return new Build(directory);
  }

  /**
   * Runs a program of the build, such as `main.js`, in its directory and with these variables only.
   *
   * @param launcher - a command that turns into the one that follows it, such as `setpriv --nnp`
   */
  run(
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    launcher: readonly string[] = [],
  ): Running {
    const [command = '', ...rest] = [...launcher, process.execPath, join('dist', program), ...args];
    const env = { PATH: process.env['PATH'], ...environment };
    const running = new Running(spawn(command, rest, { cwd: this.directory, env }));
    this.#started.push(running);
    return running;
  }

  /** Ends what a test that failed has left running, which would keep Jest from exiting. */
  async remove(): Promise<void> {
    await Promise.all(this.#started.map((running) => running.kill()));
    await rm(this.directory, { recursive: true });
  }
}

/** A process and all that it writes. */
export class Running {
  output = '';
  standardOutput = '';
  readonly #exited: Promise<unknown[]>;

  constructor(private readonly child: ChildProcess) {
    this.#exited = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        if (stream === child.stdout) this.standardOutput += text;
      });
    }
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Gives the process its whole standard input. */
  type(input: string | Buffer): this {
    this.child.stdin?.end(input);
    return this;
  }

  /** A key, for a process in a terminal. */
  press(key: string): void {
    this.child.stdin?.write(key);
  }

  /** Reads no more of what the process writes, as `head` does when it has enough. */
  stopReading(): this {
    this.child.stdout?.destroy();
    return this;
  }

  /** The exit code, once everything is written. */
  async exitCode(): Promise<unknown> {
    const [code] = await this.#exited;
    return code;
  }

  /** Asks the process to stop, as a service manager does. */
  async stop(): Promise<unknown> {
    this.child.kill('SIGTERM');
    return this.exitCode();
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Returns once the process has written the text so many times. @throws when it exits before */
  async says(text: string, times = 1): Promise<void> {
    while (this.output.split(text).length <= times) {
      const more = this.child.stdout && once(this.child.stdout, 'data').then(() => true);
      if (!(await Promise.race([more, this.#exited.then(() => false)])))
        throw new Error(`the process ended: ${this.output}`);
    }
  }

  /** Ends the process as a power cut does. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exitCode();
  }

  /** The URL that the server says it listens on, or `undefined` when it exits instead. */
  async url(): Promise<string | undefined> {
    for (;;) {
      const url = /https:\/\/[\w.[\]:]+:\d+/.exec(this.output)?.[0];
      if (url !== undefined) return url;
      const more = this.child.stdout && once(this.child.stdout, 'data').then(() => true);
      if (!(await Promise.race([more, this.#exited.then(() => false)]))) return undefined;
    }
  }

  /** A client for the server, which must listen and use the development CA in this directory. */
  async client(certificates: string): Promise<HttpsClient> {
    const url = await this.url();
    if (url === undefined) throw new Error(`the server did not start: ${this.output}`);
    return new HttpsClient(url, await readFile(join(certificates, 'ca.pem'), 'utf8'));
  }
}

async function compile(name: string, directory: string): Promise<void> {
  const target = join(directory, 'dist', name.replace(/\.ts$/, '.js'));
  const { code } = await transformFile(join(SOURCE, name), { configFile: resolve('.swcrc') });
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code);
}
