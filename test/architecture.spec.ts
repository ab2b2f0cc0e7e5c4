import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import {
  areaOf,
  hasNoBarrels,
  hasNoDefaultExports,
  hasTextOnlyIn,
  importsOnlyFrom,
  isAtMostLong,
  keepsRepositoriesPrivate,
  neverNames,
  neverUses,
  respectsLayers,
  type Rule,
  usesGlobalOnlyIn,
  usesOnlyIn,
} from './support/architecture-rules.js';
import { parseSource, readSources } from './support/source-files.js';

const sources = readSources(fileURLToPath(new URL('../src', import.meta.url)));

const never = () => false;
const within =
  (...areas: string[]) =>
  (path: string) =>
    areas.includes(areaOf(path));
const isRepository = (path: string) => path.endsWith('.repository.ts');

interface Case {
  readonly claim: string;
  readonly rule: Rule;
  /** A file that breaks the rule, and the same without the fault. */
  readonly bad: readonly [path: string, text: string];
  readonly good: readonly [path: string, text: string];
}

const cases: readonly Case[] = [
  {
    claim: 'lets a layer import only layers below it',
    rule: respectsLayers,
    bad: ['crypto/a.ts', "import { b } from '../keys/b.js';"],
    good: ['keys/a.ts', "import { b } from '../crypto/b.js';"],
  },
  {
    claim: 'lets a layer load only layers below it, dynamically too',
    rule: respectsLayers,
    bad: ['common/a.ts', "const b = await import('../config/b.js');"],
    good: ['config/a.ts', "const b = await import('../common/b.js');"],
  },
  {
    claim: 'keeps neighbours on a layer apart, in types too',
    rule: respectsLayers,
    bad: ['secrets/a.ts', "import type { B } from '../contacts/b.js';"],
    good: ['secrets/a.ts', "import type { B } from './b.js';"],
  },
  {
    claim: 'lets auth and no other feature know users',
    rule: respectsLayers,
    bad: ['contacts/a.ts', "import { b } from '../users/b.js';"],
    good: ['auth/a.ts', "import { b } from '../users/b.js';"],
  },
  {
    claim: 'gives every folder a layer',
    rule: respectsLayers,
    bad: ['utils/a.ts', 'export const a = 1;'],
    good: ['common/a.ts', 'export const a = 1;'],
  },
  {
    claim: 'reads variables of the process only in config',
    rule: usesGlobalOnlyIn('process', 'env', within('config')),
    bad: ['tls/a.ts', 'const { env } = process;'],
    good: ['config/a.ts', 'const { env } = process;'],
  },
  {
    claim: 'takes nothing of the process by its module but in config',
    rule: importsOnlyFrom(/^(node:)?process$/, within('config')),
    bad: ['tls/a.ts', "import { env } from 'node:process';"],
    good: ['config/a.ts', "import { env } from 'node:process';"],
  },
  {
    claim: 'loads modules by import alone, which these checks see',
    rule: neverNames(/^(getBuiltinModule|createRequire)$/),
    bad: ['auth/a.ts', "const { randomBytes } = process.getBuiltinModule('crypto');"],
    good: ['auth/a.ts', "const { b } = await import('./b.js');"],
  },
  {
    claim: 'uses the global crypto only in crypto, tls and keys',
    rule: usesOnlyIn('crypto', within('crypto', 'tls', 'keys')),
    bad: ['auth/a.ts', 'const nonce = crypto.getRandomValues(new Uint8Array(12));'],
    good: ['auth/a.ts', 'class A { b() { return this.crypto.digest(); } }'],
  },
  {
    claim: 'takes crypto out of no other global',
    rule: usesGlobalOnlyIn('globalThis', 'crypto', within('crypto', 'tls', 'keys')),
    bad: ['auth/a.ts', 'const { crypto: c } = globalThis;'],
    good: ['keys/a.ts', 'const { crypto: c } = globalThis;'],
  },
  {
    claim: 'uses node:crypto only in crypto, tls, keys and common/id.ts',
    rule: importsOnlyFrom(
      /^(node:)?crypto$/,
      (path) => within('crypto', 'tls', 'keys')(path) || path === 'common/id.ts',
    ),
    bad: ['auth/a.ts', "import { randomBytes } from 'node:crypto';"],
    good: ['common/id.ts', "import { randomBytes } from 'node:crypto';"],
  },
  {
    claim: 'uses packages that do cryptography only in crypto, tls and keys',
    rule: importsOnlyFrom(
      /^(@nestjs\/jwt|@node-rs\/argon2|@peculiar\/.*|hpke|jose|jsonwebtoken)$/,
      within('crypto', 'tls', 'keys'),
    ),
    bad: ['auth/a.ts', "import { JwtService } from '@nestjs/jwt';"],
    good: ['crypto/a.ts', "import { JwtService } from '@nestjs/jwt';"],
  },
  {
    claim: 'names algorithms only in crypto, tls and keys',
    rule: hasTextOnlyIn(
      /aes-|gcm|chacha20|hmac|hkdf|argon2|sha-?(1|256|384|512)|md5|p-256|x25519|ed25519|\b(es|rs|hs|ps)(256|384|512)\b/i,
      within('crypto', 'tls', 'keys'),
    ),
    bad: ['auth/a.ts', "const algorithm = 'ES256';"],
    good: ['auth/a.ts', '/** Signed with ES256. */ const algorithm = undefined;'],
  },
  {
    claim: 'needs nothing of node:crypto that only Node 26 has: AES-GCM-SIV, AES-SIV, createMac',
    rule: neverNames(/-siv\b|^createMac$/i),
    bad: ['crypto/a.ts', "createCipheriv('aes-256-gcm-siv', key, nonce);"],
    good: ['crypto/a.ts', "createCipheriv('aes-256-gcm', key, nonce);"],
  },
  {
    claim: 'makes no value wait for the thread pool of WebCrypto, which certificates alone use',
    rule: usesGlobalOnlyIn('crypto', 'subtle', within('tls')),
    bad: ['crypto/a.ts', "await crypto.subtle.encrypt('AES-GCM', key, value);"],
    good: ['tls/a.ts', "await crypto.subtle.importKey('pkcs8', key, algorithm, false, []);"],
  },
  {
    claim: 'writes SQL only in database and repositories',
    rule: importsOnlyFrom(/^kysely(\/.*)?$/, (path) => within('database')(path) || isRepository(path)),
    bad: ['contacts/contacts.service.ts', "import { sql } from 'kysely';"],
    good: ['contacts/contacts.repository.ts', "import { sql } from 'kysely';"],
  },
  {
    claim: 'opens databases only in database',
    rule: importsOnlyFrom(/^(pg|node:sqlite)$/, within('database')),
    bad: ['contacts/contacts.repository.ts', "import pg from 'pg';"],
    good: ['database/a.ts', "import pg from 'pg';"],
  },
  {
    claim: 'keeps repositories out of controllers and response bodies',
    rule: importsOnlyFrom(/\.repository\.ts$/, (path) => !/\.(controller|dto)\.ts$/.test(path)),
    bad: ['contacts/contact.dto.ts', "import { type ContactRow } from './contacts.repository.js';"],
    good: ['contacts/contact.dto.ts', "import { type Contact } from './contacts.service.js';"],
  },
  {
    claim: 'keeps a repository private to its folder',
    rule: keepsRepositoriesPrivate,
    bad: ['auth/a.ts', "import { UsersRepository } from '../users/users.repository.js';"],
    good: ['users/a.ts', "import { UsersRepository } from './users.repository.js';"],
  },
  {
    claim: 'has no barrel files',
    rule: hasNoBarrels,
    bad: ['common/a.ts', "export { b } from './b.js';"],
    good: ['common/a.ts', 'const b = 1; export { b };'],
  },
  {
    claim: 'exports nothing that it imports',
    rule: hasNoBarrels,
    bad: ['common/a.ts', "import { b } from './b.js'; export { b as c };"],
    good: ['common/a.ts', "import { b } from './b.js'; export const c = b();"],
  },
  {
    claim: 'exports nothing that it imports under another name',
    rule: hasNoBarrels,
    bad: ['common/a.ts', "import * as b from './b.js'; export const c = b;"],
    good: ['common/a.ts', "import * as b from './b.js'; const c = b; export const d = c.d();"],
  },
  {
    claim: 'exports by name only',
    rule: hasNoDefaultExports,
    bad: ['common/a.ts', 'export default class A {}'],
    good: ['common/a.ts', 'export class A {}'],
  },
  {
    claim: 'never takes randomness from Math.random',
    rule: usesGlobalOnlyIn('Math', 'random', never),
    bad: ['common/a.ts', 'const id = Math.random();'],
    good: ['common/a.ts', 'const id = Math.round(1);'],
  },
  {
    claim: 'logs through the logger, never through console',
    rule: neverUses('console'),
    bad: ['common/a.ts', "globalThis.console.log('a');"],
    good: ['common/a.ts', "logger.log('console.log');"],
  },
  {
    claim: 'keeps files within 200 lines',
    rule: isAtMostLong(200, {}),
    bad: ['common/a.ts', 'a;\n'.repeat(201)],
    good: ['common/a.ts', 'a;\n'.repeat(200)],
  },
];

describe('architecture', () => {
  it('is checked on every source file', () => {
    expect(sources.length).toBeGreaterThan(80);
    expect(sources.find(({ path }) => path === 'main.ts')?.imports).toContain('server.ts');
  });

  it.each(cases)('$claim', ({ rule }) => {
    expect(rule(sources)).toEqual([]);
  });
});

describe('the checker', () => {
  it.each(cases)('finds a fault where the code no longer $claim', ({ rule, bad }) => {
    expect(rule([parseSource(...bad)])).toEqual([expect.stringContaining(bad[0])]);
  });

  it.each(cases)('finds no fault where the code $claim', ({ rule, good }) => {
    expect(rule([parseSource(...good)])).toEqual([]);
  });

  it('sees every spelling of process.env', () => {
    const rule = usesGlobalOnlyIn('process', 'env', never);
    const spellings = [
      'process.env',
      "process['env']",
      'globalThis.process.env',
      'const { env: e } = process',
    ];
    expect(spellings.filter((text) => rule([parseSource('common/a.ts', text)]).length === 0)).toEqual([]);
  });

  it('sees every spelling of the global crypto', () => {
    const rule = usesOnlyIn('crypto', never);
    const spellings = [
      'crypto.randomUUID()',
      "crypto['randomUUID']()",
      'globalThis.crypto.randomUUID()',
      "globalThis['crypto'].randomUUID()",
      'const { randomUUID } = crypto',
      'const c = crypto',
    ];
    expect(spellings.filter((text) => rule([parseSource('common/a.ts', text)]).length === 0)).toEqual([]);
  });

  it('refuses an exception that no file needs', () => {
    expect(isAtMostLong(200, { 'common/a.ts': 300 })([parseSource('common/a.ts', 'a;')])).toEqual([
      'common/a.ts needs no exception',
    ]);
  });
});
