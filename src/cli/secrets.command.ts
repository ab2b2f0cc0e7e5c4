import { Command } from 'commander';
import { AppError } from '../common/app-error.js';
import { parseDotenv, toDotenv } from '../common/dotenv.js';
import { StartError } from '../common/start-error.js';
import { isStringRecord, STRING_RECORD_RULE, type StringRecord } from '../common/string-record.js';
import { readClientConfig } from '../config/client-config.js';
import { parseStrictJson } from '../http/strict-json.js';
import { ApiClient } from './api-client.js';
import { readInput, readTextFile, readValue } from './read-input.js';
import { readPassword } from './read-password.js';
import { runWith } from './run-with.js';
import { SecretsClient } from './secrets-client.js';

const DEFAULT_NAME = 'env';

/** Secrets of a running server, for people and their scripts. Values never come from an argument. */
export function secretsCommand(): Command {
  return new Command('secrets')
    .description('the secrets of a running server: see API_URL and API_KEY in docs/configuration.md')
    .addCommand(
      new Command('put')
        .description(
          'write a secret: an object or KEY=value lines on standard input, or one value with --key',
        )
        .argument('<name>')
        .option('--key <key>', 'set this entry only, to what standard input holds')
        .action(put),
    )
    .addCommand(
      new Command('get')
        .description('print the data as JSON, or one value with --key')
        .argument('<name>')
        .option('--key <key>', 'print the value of this entry only')
        .option('--version <number>', 'the latest when absent')
        .action(get),
    )
    .addCommand(
      new Command('list')
        .description('print names, versions and states')
        .option('--prefix <prefix>', 'names that begin like this', '')
        .action(list),
    )
    .addCommand(
      new Command('import')
        .description('write the variables of a .env file as one secret')
        .argument('<file>')
        .option('--secret <name>', 'its name', DEFAULT_NAME)
        .action(importFile),
    )
    .addCommand(
      new Command('export')
        .description('print secrets as a .env file; later ones win')
        .option('--secret <name...>', 'their names', [DEFAULT_NAME])
        .action(exportAll),
    )
    .addCommand(
      new Command('run')
        .description(
          'start a command with secrets as its environment variables, never on disk; later ones win',
        )
        .option('--secret <name...>', 'their names', [DEFAULT_NAME])
        .argument('<command...>', 'after --')
        .action(run),
    );
}

async function put(name: string, { key }: { readonly key?: string }): Promise<void> {
  const client = newClient();
  const version =
    key === undefined
      ? await client.put(name, parseRecord(await readInput('the secret')))
      : await client.set(name, key, await readValue(readPassword));
  process.stdout.write(`wrote ${name} version ${version}\n`);
}

async function get(
  name: string,
  { key, version }: { readonly key?: string; readonly version?: string },
): Promise<void> {
  const data = await newClient().read(name, version);
  if (key === undefined) {
    process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
    return;
  }
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  if (value === undefined) throw new StartError(`${name} has no entry ${key}`);
  process.stdout.write(process.stdout.isTTY ? `${value}\n` : value);
}

async function list({ prefix }: { readonly prefix: string }): Promise<void> {
  for await (const { name, version, state } of newClient().list(prefix)) {
    process.stdout.write(`${name}\t${version}\t${state}\n`);
  }
}

async function importFile(file: string, { secret }: { readonly secret: string }): Promise<void> {
  const data = parseVariables(await readTextFile(file), file);
  const version = await newClient().put(secret, data);
  process.stdout.write(`wrote ${Object.keys(data).length} variables to ${secret} version ${version}\n`);
}

async function exportAll({ secret }: { readonly secret: readonly string[] }): Promise<void> {
  process.stdout.write(toDotenv(await newClient().readAll(secret)));
}

async function run(command: readonly string[], { secret }: { readonly secret: readonly string[] }) {
  process.exitCode = await runWith(await newClient().readAll(secret), command);
}

function newClient(): SecretsClient {
  return new SecretsClient(new ApiClient(readClientConfig()));
}

function parseVariables(text: string, source: string): StringRecord {
  const variables = parseDotenv(text, source);
  if (Object.keys(variables).length === 0) throw new StartError(`${source} has no variables`);
  return variables;
}

function parseRecord(text: string): StringRecord {
  if (!text.trimStart().startsWith('{')) return parseVariables(text, 'standard input');
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw new StartError('standard input is neither a JSON object nor KEY=value lines');
  }
  if (!isStringRecord(record)) throw new StartError(`standard input ${STRING_RECORD_RULE}`);
  requireStrictJson(text);
  return record;
}

/** What was parsed is sent, not the text: the server can't see any more that a key was there twice. */
function requireStrictJson(text: string): void {
  try {
    parseStrictJson(Buffer.from(text));
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new StartError(`standard input would be refused: ${cause.message}`, { cause });
  }
}
