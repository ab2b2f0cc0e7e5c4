import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const ANSWER_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

export interface ChildOptions {
  /** All variables of the process: none of the caller's reaches it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** For Node.js itself. */
  readonly nodeOptions?: readonly string[];
  /** A module to load before the script itself. */
  readonly preload?: URL;
  /** Where standard output goes; nowhere unless given. */
  readonly logFile?: string;
}

/** What a process lets the one that started it call. Arguments and results travel as JSON. */
type Api = Readonly<Record<string, (...args: never[]) => unknown>>;
type Call = { readonly name: string; readonly args: never[] };
type Answer<Result> = { readonly result: Result } | { readonly fault: string };

/** A Node.js process that this one started, called one function at a time. */
export class Child<Functions extends Api> {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(script: URL, { environment = {}, nodeOptions = [], preload, logFile }: ChildOptions = {}) {
    const file = fileURLToPath(script);
    const preloads = preload === undefined ? [] : ['--import', preload.href];
    const log = logFile === undefined ? 'ignore' : openSync(logFile, 'a', 0o600);
    this.#name = basename(file);
    this.#process = spawn(process.execPath, [...nodeOptions, ...preloads, file], {
      env: { ...environment },
      stdio: ['ignore', log, 'inherit', 'ipc'],
    });
    if (typeof log === 'number') closeSync(log);
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
  }

  /** @throws when the function throws, or the process ends or stays silent */
  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Promise<Awaited<ReturnType<Functions[Name]>>> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#process.off('message', onAnswer).off('exit', onExit);
        act();
      };
      const fail = (fault: string) => settle(() => reject(new Error(`${this.#name}, ${name}: ${fault}`)));
      const onExit = () => fail('the process ended');
      const onAnswer = (answer: Answer<Awaited<ReturnType<Functions[Name]>>>) => {
        if ('fault' in answer) fail(answer.fault);
        else settle(() => resolve(answer.result));
      };
      const timer = setTimeout(() => fail(`no answer in ${ANSWER_TIMEOUT_MS / 1_000} s`), ANSWER_TIMEOUT_MS);
      this.#process.once('message', onAnswer).once('exit', onExit);
      this.#process.send({ name, args });
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** The other end of `Child.call`. The process ends when the one that calls is gone. */
export function serveCalls(functions: Api): void {
  process.on('message', ({ name, args }: Call) => {
    Promise.try(async () => functions[name]?.(...args)).then(
      (result) => process.send?.({ result }),
      (error: unknown) => process.send?.({ fault: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(1));
}
