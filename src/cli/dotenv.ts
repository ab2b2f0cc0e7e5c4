import { parseEnv } from 'node:util';
import { StartError } from '../common/start-error.js';
import { type StringRecord } from '../common/string-record.js';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const QUOTES = ["'", '"', '`'];

/** The variables of a `.env` file, as Node itself reads one. */
export function parseDotenv(text: string): StringRecord {
  return parseEnv(text) as StringRecord;
}

/** @throws {StartError} for what no variable can be, and a value that no quotes can hold */
export function toDotenv(variables: StringRecord): string {
  return Object.entries(requireVariables(variables))
    .map(([name, value]) => `${toLine(name, value)}\n`)
    .join('');
}

/** @throws {StartError} for a name that no variable can have, and a value with a NUL, where every system ends one */
export function requireVariables(variables: StringRecord): StringRecord {
  refuse(
    Object.keys(variables).filter((name) => !VARIABLE.test(name)),
    'not the name of a variable',
  );
  refuse(
    Object.keys(variables).filter((name) => variables[name]?.includes('\0')),
    'a NUL character, which the value of a variable cannot have',
  );
  return variables;
}

function refuse(names: readonly string[], reason: string): void {
  if (names.length > 0) throw new StartError(`${names.join(', ')}: ${reason}`);
}

/** In the first quotes that give the value back. */
function toLine(name: string, value: string): string {
  const line = QUOTES.map((quote) => `${name}=${quote}${value}${quote}`).find(
    (candidate) => parseDotenv(candidate)[name] === value,
  );
  if (line === undefined) throw new StartError(`${name} has a value that no .env file can hold`);
  return line;
}
