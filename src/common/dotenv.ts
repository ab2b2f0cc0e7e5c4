import { parseEnv } from 'node:util';
import { StartError } from './start-error.js';
import { type StringRecord } from './string-record.js';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const QUOTES = ["'", '"', '`'];

/**
 * One variable, comment or blank line with its line break. A variable ends with its line, or with the one in which its
 * quotes are closed; after those only a comment may follow, so that nothing is left out.
 */
const ENTRY = new RegExp(
  [
    /[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=/,
    /(?:[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)[ \t]*(?:#[^\r\n]*)?|(?![ \t]*["'`])[^\r\n]*)(?:\r?\n|$)/,
    /|[ \t]*(?:#[^\r\n]*)?(?:\r?\n|$)/,
  ]
    .map(({ source }) => source)
    .join(''),
  'y',
);

/**
 * The variables of a `.env` file, each as Node itself reads it. Node leaves out lines that it can't read; here they are
 * refused.
 *
 * @param source - what the text is, for people
 * @throws {StartError} naming the line, never what it holds
 */
export function parseDotenv(text: string, source: string): StringRecord {
  const variables = new Map<string, string>();
  let line = 1;
  let at = 0;
  while (at < text.length) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    if (!match)
      throw new StartError(
        `${source}, line ${line}: want NAME=value in UTF-8, in quotes that are closed once`,
      );
    const [entry] = match;
    const name = match.groups?.['name'];
    // Alone: after an empty value and a space Node would take the next line for it.
    if (name !== undefined) variables.set(name, parseEnv(entry)[name] ?? '');
    line += entry.split('\n').length - 1;
    at += entry.length;
  }
  return requireVariables(Object.fromEntries(variables));
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
    (candidate) => parseEnv(candidate)[name] === value,
  );
  if (line === undefined) throw new StartError(`${name} has a value that no .env file can hold`);
  return line;
}
