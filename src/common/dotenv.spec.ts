import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { assert, constantFrom, dictionary, oneof, pre, property, string } from 'fast-check';
import { StartError } from './start-error.js';
import { parseDotenv, requireVariables, toDotenv } from './dotenv.js';

const WELL_FORMED = `# a comment
PLAIN=one # a comment
  export SPACED = two
SINGLE='#three'   # a comment
DOUBLE="four\\nlines
and 'quotes'

  not=a variable"
BACKTICKS=\`five "six"\`
CUT=seven#eight
EMPTY=
`;

describe('parseDotenv', () => {
  it.each([
    ['\n', WELL_FORMED],
    ['\r\n', WELL_FORMED.replaceAll('\n', '\r\n')],
    ['none at the end', WELL_FORMED.trimEnd()],
  ])('reads what Node reads where every line can be read, line breaks: %j', (_claim, text) => {
    expect(parseDotenv(text, 'it')).toEqual({ ...parseEnv(text) });
    expect(parseDotenv(text, 'it')).toMatchObject({
      DOUBLE: expect.stringContaining('not=a variable'),
      EMPTY: '',
    });
  });

  it('takes no line for the value of the one before', () => {
    expect(parseDotenv('A= \nB=c', 'it')).toEqual({ A: '', B: 'c' });
  });

  it.each([
    ['a line without a sign of equality', 'A=b\nhunter2', 2],
    ['another syntax', 'A=b\n\nPASSWORD: hunter2\nC=d', 3],
    ['another syntax with that sign in its value', 'PASSWORD: hunter2=\n', 1],
    ['a name with a space', 'A="b\n\n"\nBAD LINE=hunter2', 4],
    ['a name with a hyphen', 'my-hunter2=b', 1],
    ['a name with a dot', 'a.hunter2=b', 1],
    ['a name that begins with a digit', '1hunter2=b', 1],
    ['a line without a name', '=hunter2', 1],
    ['text after quotes', String.raw`A="hunter2 \"quoted\""`, 1],
    ['quotes that are not closed', "A=b\nB='hunter2\nC=d", 2],
    ['quotes that the next ones close', 'A="hunter2\nB="c"', 1],
    ['line breaks that Node does not know', 'A=b\rB=hunter2', 1],
  ])('refuses %s, naming the line and not what it holds', (_claim, text, line) => {
    const refusal = new StartError(
      `a.env, line ${line}: want NAME=value in UTF-8, in quotes that are closed once`,
    );
    expect(() => parseDotenv(text, 'a.env')).toThrow(refusal);
  });

  it.each(['', '\n', '# a comment'])('finds no variables in %j', (text) => {
    expect(parseDotenv(text, 'a.env')).toEqual({});
  });

  it('refuses a value that no variable can have', () => {
    expect(() => parseDotenv('A=hunter2\0', 'a.env')).toThrow(/^A: a NUL character, which [a-z ]+$/);
  });

  it('gives back what toDotenv wrote', () => {
    const value = oneof(
      string(),
      constantFrom('', ' ', '#', 'a\nb=c', '"', "'", '`', '\\', '\u{FEFF}', 'a = "b"'),
    );
    assert(
      property(
        dictionary(constantFrom('A', 'B_1', '_c', '__proto__'), value, { minKeys: 1 }),
        (variables) => {
          const text = writtenOf(variables);
          pre(text !== undefined);
          expect(parseDotenv(text, 'it')).toEqual({ ...variables });
        },
      ),
    );
  });
});

describe('requireVariables', () => {
  it('names what no variable can be, and shows no value', () => {
    const bad = { 'my-var': 'hunter2', 'a.b': 'hunter2', GOOD: 'hunter2' };
    expect(() => requireVariables(bad)).toThrow(/^my-var, a\.b: not the name of a variable$/);
    expect(() => requireVariables({ A: 'b', NUL: 'hunter2\0' })).toThrow(
      /^NUL: a NUL character, which [a-z ]+$/,
    );
  });
});

/** None where a value is refused. */
function writtenOf(variables: Readonly<Record<string, string>>): string | undefined {
  try {
    return toDotenv(variables);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return undefined;
  }
}
