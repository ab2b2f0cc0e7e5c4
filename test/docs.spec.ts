import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { problemCatalogue } from '../src/common/problem-catalogue.js';
import { CLIENT_VARIABLES } from '../src/config/client-config.js';
import { parseEnvironment, SECRET_VARIABLES } from '../src/config/environment.js';
import { EnvironmentVariables } from '../src/config/environment-variables.js';
import { anchorsOf, codeBlocksOf, codeSpansOf, linksOf, tableRowsOf } from './support/markdown.js';
import { readSources } from './support/source-files.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const documents = [
  'README.md',
  'certs/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const texts = new Map(documents.map((path) => [path, read(path)]));
const everything = [...texts.values(), read('.env.example')].join('\n');

interface PackageJson {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}
const packageJson = JSON.parse(read('package.json')) as PackageJson;

const variables = [
  ...Object.keys(new EnvironmentVariables()),
  ...SECRET_VARIABLES.map((name) => `${name}_FILE`),
].toSorted();

/** Names in capitals that are no variables of the server: states of keys, and what its clients read. */
const FOREIGN_NAMES = [
  ...CLIENT_VARIABLES,
  'CHROMIUM_PATH',
  'DECRYPT_ONLY',
  'NODE_EXTRA_CA_CERTS',
  'TEST_POSTGRES_URL',
  'TEST_REDIS_URL',
  'UPDATE_DOCS',
];

interface Accepted {
  /** The cell of `docs/configuration.md`. */
  readonly documented: string;
  /** What the comment in `.env.example` holds. */
  readonly words: readonly string[];
}

/** What the code itself says that it accepts: whole numbers within a range, and words. */
const accepted = new Map(
  variables.flatMap((name): [string, Accepted][] => {
    const values = acceptedOf(name);
    return values ? [[name, values]] : [];
  }),
);

const assignments = [...read('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(
  ([, name = '', value = '']) => [name, value] as const,
);

describe('the documents', () => {
  it.each(documents)('link only to what exists: %s', (document) => {
    const broken = linksOf(texts.get(document) ?? '').filter((link) => !leadsSomewhere(document, link));
    expect(broken).toEqual([]);
  });

  it('are all reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const document of reached) {
      for (const link of linksOf(texts.get(document) ?? '')) {
        const target = join(dirname(document), link.split('#', 1)[0] ?? '');
        if (texts.has(target)) reached.add(target);
      }
    }
    const lonely = documents.filter((path) => !reached.has(path));
    expect(lonely).toEqual([]);
  });

  it('name no source file or folder that does not exist', () => {
    const paths = codeSpansOf(everything).filter((code) => /^(src|test|docs|certs)\/[\w./-]+$/.test(code));
    const made = new Set(['src/notes', 'certs/ca.pem']);
    expect(paths.filter((path) => !made.has(path) && !existsSync(join(root, path)))).toEqual([]);
  });

  it('name only error codes that exist', () => {
    const named = new Set(everything.match(/\bERR_[A-Z_]+/g));
    expect([...named].filter((code) => !(code in problemCatalogue))).toEqual([]);
  });

  it('list every error code with its status', () => {
    const rows = tableRowsOf(read('docs/errors.md')).filter(([code = '']) => code.startsWith('`ERR_'));
    const listed = rows.map(([code = '', status = '']) => `${code.replaceAll('`', '')} ${status}`);
    const known = Object.entries(problemCatalogue).map(([code, { status }]) => `${code} ${status}`);
    expect(listed.toSorted()).toEqual(known.toSorted());
  });

  it('name only variables that exist', () => {
    const named = new Set(everything.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g));
    const known = new Set([...variables, ...Object.keys(problemCatalogue), ...FOREIGN_NAMES]);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  it('list every variable in docs/configuration.md', () => {
    const listed = tableRowsOf(read('docs/configuration.md')).map(([name = '']) => name.replaceAll('`', ''));
    const ours = listed.filter((name) => /^[A-Z]/.test(name) && !FOREIGN_NAMES.includes(name));
    expect(ours.toSorted()).toEqual(variables);
  });

  it('give every variable its default in docs/configuration.md', () => {
    const rows = new Map(tableRowsOf(read('docs/configuration.md')).map(([name, value]) => [name, value]));
    const wrong = Object.entries(new EnvironmentVariables()).filter(
      ([name, value]) => value !== undefined && rows.get(`\`${name}\``) !== `\`${String(value)}\``,
    );
    expect(wrong).toEqual([]);
  });

  it('give every variable its values, unit and range in docs/configuration.md', () => {
    const rows = new Map(
      tableRowsOf(read('docs/configuration.md')).map(([name, , values]) => [name, values]),
    );
    const wrong = [...accepted].filter(([name, { documented }]) => rows.get(`\`${name}\``) !== documented);
    expect(wrong).toEqual([]);
  });

  it('quote only start errors that the code gives', () => {
    const sources = readSources(join(root, 'src'))
      .map(({ syntax }) => syntax.text)
      .join('\n');
    const [, table = ''] = read('docs/operations.md').split("## When it doesn't start");
    const quoted = tableRowsOf(table.split('\n## ', 1)[0] ?? '').flatMap(([messages = '']) =>
      codeSpansOf(messages),
    );
    expect(quoted.length).toBeGreaterThan(10);
    const isGiven = (message: string) => message.split('…').every((part) => sources.includes(part.trim()));
    expect(quoted.filter((message) => !isGiven(message))).toEqual([]);
  });

  it('list every variable of the command line as a client', () => {
    const listed = tableRowsOf(read('docs/configuration.md')).map(([name = '']) => name.replaceAll('`', ''));
    expect(listed).toEqual(expect.arrayContaining([...CLIENT_VARIABLES]));
  });

  it('name only npm scripts that exist', () => {
    const named = everything.matchAll(/\bnpm (?:run (?:--silent )?([a-z][\w:]*)|(start|test)\b)/g);
    const scripts = new Set([...named].map(([, run, short]) => run ?? short ?? ''));
    expect(scripts.size).toBeGreaterThan(10);
    expect([...scripts].filter((script) => !(script in packageJson.scripts))).toEqual([]);
  });

  it('name every npm script in the README', () => {
    const readme = read('README.md');
    const isNamed = (script: string) => new RegExp(`\\bnpm (run )?${script}(?![\\w:])`).test(readme);
    expect(Object.keys(packageJson.scripts).filter((script) => !isNamed(script))).toEqual([]);
  });

  it("name every command of the command line in the README's map", () => {
    const commands = [...read('src/cli/program.ts').matchAll(/^ {2}(\w+): async/gm)].map(
      ([, name = '']) => name,
    );
    expect(commands.length).toBeGreaterThan(8);
    const [, map = ''] = tableRowsOf(read('README.md')).find(([folder]) => folder === '`src/cli`') ?? [];
    expect(codeSpansOf(map)).toEqual(commands);
  });

  it('give every dependency one row in docs/dependencies.md', () => {
    const listed = tableRowsOf(read('docs/dependencies.md')).map(([name = '']) => name.replaceAll('`', ''));
    const { dependencies, devDependencies, optionalDependencies } = packageJson;
    const installed = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(listed.filter((name) => name !== 'package').toSorted()).toEqual(installed.toSorted());
  });

  it('begin with the two commands', () => {
    const [first] = codeBlocksOf(read('README.md'), '');
    expect(first).toBe('npm install && npm run start:dev\nnpm test\n');
  });

  it('keep decisions short', () => {
    const long = documents
      .filter((path) => path.startsWith(join('docs', 'adr')))
      .filter((path) => (texts.get(path) ?? '').split('\n').length > 60);
    expect(long).toEqual([]);
  });

  it("suggest to check a server's certificate, never to skip that", () => {
    const careless = everything.match(/curl [^\n]*(\s-k\b|--insecure)|NODE_TLS_REJECT_UNAUTHORIZED/g);
    expect(careless).toBeNull();
  });
});

describe('.env.example', () => {
  it('names every variable once', () => {
    expect(assignments.map(([name]) => name).toSorted()).toEqual(variables);
  });

  it('says the values, unit and range of every variable', () => {
    const wrong = [...accepted].filter(([name, { words }]) => {
      const comment = commentOf(name).toLowerCase();
      return words.some((word) => !comment.includes(word));
    });
    expect(accepted.size).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });

  it('changes nothing when it is copied', () => {
    expect(read('.env.example').match(/^[^#\n].*$/gm)).toBeNull();
  });

  it('changes nothing when every line is taken: the values are the defaults', () => {
    expect(parseEnvironment(Object.fromEntries(assignments))).toEqual(parseEnvironment({}));
  });

  it('shows every default that is a fixed value', () => {
    const defaults = Object.entries(new EnvironmentVariables()).filter(([, value]) => value !== undefined);
    const shown = new Map(assignments);
    expect(defaults.map(([name]) => [name, shown.get(name)])).toEqual(
      defaults.map(([name, value]) => [name, String(value)]),
    );
  });
});

describe('the checker', () => {
  it('finds links, and takes none for one that stands in code', () => {
    expect(linksOf('[a](b.md) and `[c](d.md)`\n\n```\n[e](f.md)\n```\n[g](h.md#i)')).toEqual([
      'b.md',
      'h.md#i',
    ]);
  });

  it('makes the anchors that a heading is reached by', () => {
    expect(anchorsOf('# What is `not` defended?\n```\n# no heading\n```\n## Two, words')).toEqual([
      'what-is-not-defended',
      'two-words',
    ]);
  });

  it('reads the cells of a table', () => {
    expect(tableRowsOf('| a | b |\n| --- | --- |\n| `c` | d |')).toEqual([
      ['a', 'b'],
      ['`c`', 'd'],
    ]);
  });
});

function leadsSomewhere(document: string, link: string): boolean {
  if (/^https?:/.test(link)) return true;
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}

function acceptedOf(name: string): Accepted | undefined {
  const refusal = refusalOf({ [name]: '?' });
  const bounds = /must be a whole number \(((?<unit>[a-z]+), )?(.+, )?(?<range>\d+ to \d+)\)/.exec(refusal);
  if (bounds) {
    const { unit, range = '' } = bounds.groups ?? {};
    const words = unit === undefined ? [range] : [unit, range];
    return { documented: words.join(', '), words };
  }
  const [, list] = /must be one of (.+)/.exec(refusal) ?? [];
  const words = list?.split(', ');
  return words && { documented: words.map((word) => `\`${word}\``).join(', '), words };
}

function refusalOf(environment: Readonly<Record<string, string>>): string {
  try {
    parseEnvironment(environment);
    return '';
  } catch (error) {
    return String(error);
  }
}

/** The lines above a variable in `.env.example`. */
function commentOf(name: string): string {
  const paragraph = read('.env.example')
    .split('\n\n')
    .find((text) => text.includes(`\n# ${name}=`));
  return paragraph?.replaceAll('\n# ', ' ') ?? '';
}
