import { exec } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newAccount, newEmail, PASSWORD } from '../support/accounts.js';
import { Build } from '../support/built-server.js';
import { openDatabase } from '../../src/database/open-database.js';
import { newPostgresDatabase, testPostgresUrl } from '../support/postgres-database.js';
import { writeProductionCertificate } from '../support/production-certificate.js';
import { environmentIn } from '../support/test-app.js';

const describePostgres = testPostgresUrl === undefined ? describe.skip : describe;

describe('as processes of their own', () => {
  let build: Build;
  let directory: string;
  let environment: Record<string, string>;
  beforeAll(async () => {
    build = await Build.create();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(build.directory, 'data-'));
    environment = environmentIn(directory);
  });
  afterAll(() => build.remove());

  async function cli(
    args: readonly string[],
    input: string | Buffer = '',
  ): Promise<{ code: unknown; output: string }> {
    const command = build.run(join('cli', 'main.js'), args, environment).type(input);
    const code = await command.exitCode();
    return { code, output: command.output };
  }

  async function refusedStart(changes: Readonly<Record<string, string>>): Promise<string> {
    const server = build.run('main.js', [], { ...environment, ...changes });
    expect(await server.exitCode()).toBe(1);
    return server.output;
  }

  describe('the server', () => {
    it('writes nothing on standard error while all is well', async () => {
      const server = build.run('main.js', [], environment);
      const client = await server.client(join(directory, 'certs'));
      const account = await newAccount(client);
      // Makes a key pair, which is what Node warns of.
      const key = await client.get(`/v1/users/${account.id}/public-key`, account.token);
      expect(key.members).toMatchObject({ kem: 'MLKEM768-X25519', holder: 'server' });
      client.close();
      expect(await server.stop()).toBe(0);
      expect(server.output).toBe(server.standardOutput);
    });

    it.each(['0.0.0.0', '::'])(
      'prints a first call that works as it stands when it listens on %s',
      async (host) => {
        const certificates = join(directory, 'my certs');
        const changes = { HOST: host, CERTS_DIR: certificates };
        const server = build.run('main.js', [], { ...environment, ...changes });
        await server.says('/health/ready');
        const [, command = '', port = ''] =
          /(curl --cacert .+ https:\/\/localhost:(\d+)\/health\/ready)\n/.exec(server.output) ?? [];
        expect(command).toBe(
          `curl --cacert '${relative(build.directory, join(certificates, 'ca.pem'))}' https://localhost:${port}/health/ready`,
        );
        const { stdout } = await promisify(exec)(command, { cwd: build.directory });
        expect(stdout).toBe('{"status":"ok"}');
        expect(await server.stop()).toBe(0);
      },
    );

    it('prints one that works also when it listens on an address that its certificate does not cover', async () => {
      const server = build.run('main.js', [], { ...environment, HOST: '127.0.0.2' });
      await server.says('/health/ready');
      const [command = ''] = /curl --cacert .+\/health\/ready/.exec(server.output) ?? [];
      const { stdout } = await promisify(exec)(command, { cwd: build.directory });
      expect(stdout).toBe('{"status":"ok"}');
      expect(server.output).not.toContain('/docs');
      expect(await server.stop()).toBe(0);
    });

    it('says in one line that its port is in use and exits with 1', async () => {
      const occupant = createServer().listen(0, '127.0.0.1');
      await once(occupant, 'listening');
      const { port } = occupant.address() as AddressInfo;
      const output = await refusedStart({ PORT: String(port) }).finally(() => occupant.close());
      expect(output).toBe(
        `cannot start: port ${port} on 127.0.0.1 is in use: stop the other process or set PORT\n`,
      );
    });

    it('says so of a database behind a socket too, on the command line as well', async () => {
      const DATABASE_URL = 'postgres://app:hunter2@/app?host=/nonexistent';
      const line = 'database localhost/app cannot be reached (ENOENT): check DATABASE_URL and that it runs\n';
      expect(await refusedStart({ DATABASE_URL })).toBe(`cannot start: ${line}`);
      environment = { ...environment, DATABASE_URL };
      expect(await cli(['db', 'migrate'])).toEqual({ code: 1, output: line });
    });

    it('says that the database cannot be reached, without the password in its URL', async () => {
      const output = await refusedStart({ DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:1/app' });
      expect(output).toBe(
        'cannot start: database 127.0.0.1:1/app cannot be reached (ECONNREFUSED): check DATABASE_URL and that it runs\n',
      );
    });

    it('says that its .env file cannot be read', async () => {
      const file = join(build.directory, '.env');
      await mkdir(file);
      const output = await refusedStart({}).finally(() => rm(file, { recursive: true }));
      expect(output).toBe(
        'cannot start: the file .env cannot be read (EISDIR): correct its permissions, or move it away\n',
      );
    });

    it.each([
      ['what is not UTF-8', Buffer.from('\uFEFFPORT=1\r\n', 'utf16le'), 1],
      ['a line that is no variable', Buffer.from('\uFEFF# What Windows puts first\nPORT: 1'), 2],
    ])('leaves out nothing of its .env file: %s', async (_what, bytes, line) => {
      const file = join(build.directory, '.env');
      await writeFile(file, bytes);
      const output = await refusedStart({}).finally(() => rm(file));
      expect(output).toBe(
        `cannot start: the file .env, line ${line}: want NAME=value in UTF-8, in quotes that are closed once\n`,
      );
    });

    it('says that its data directory cannot be made', async () => {
      const output = await refusedStart({ DATA_DIR: join('package.json', 'data') });
      expect(output).toMatch(/^cannot start: .*package\.json.*\n$/);
    });

    it('packs a list of passwords that the server takes: all of it, or nothing is changed', async () => {
      const [text, list] = [join(directory, 'leaked.txt'), join(directory, 'leaked.bin')];
      await writeFile(text, 'one\n\ntwo\r\nONE\nthree');
      const pack = () => cli(['passwords', 'pack', text, list]);
      expect(await pack()).toEqual({ code: 0, output: 'packed 3 passwords\n' });
      const packed = await readFile(list);
      await mkdir(`${list}.unfinished`);
      expect(await pack()).toEqual({ code: 1, output: `${list} cannot be written (EISDIR)\n` });
      await rm(`${list}.unfinished`, { recursive: true });
      await rm(text);
      expect(await pack()).toEqual({ code: 1, output: `${text} cannot be read (ENOENT)\n` });
      expect(await readFile(list)).toEqual(packed);
      expect(await refusedStart({ PASSWORD_LIST_FILE: list, PORT: 'x' })).not.toContain('PASSWORD_LIST_FILE');
    });

    it('says that a list of passwords is missing, its own one too', async () => {
      const absent = join(directory, 'absent.bin');
      expect(await refusedStart({ PASSWORD_LIST_FILE: absent })).toMatch(
        /^cannot start: PASSWORD_LIST_FILE names .*absent\.bin, .*\n$/,
      );
      const own = join(build.directory, 'lists', 'common-passwords.bin');
      await rename(own, `${own}.away`);
      const output = await refusedStart({}).finally(() => rename(`${own}.away`, own));
      expect(output).toMatch(/^cannot start: .*common-passwords\.bin is no list .*\n$/);
    });

    it('starts in production after the migration that its refusal names', async () => {
      const certificates = join(directory, 'production');
      const rootKey = join(directory, 'data', 'root.key');
      await mkdir(join(directory, 'data'));
      environment = {
        ...environment,
        NODE_ENV: 'production',
        ROOT_KEY_FILE: rootKey,
        ...(await writeProductionCertificate(certificates)),
      };
      expect(await refusedStart({})).toContain('`npm run cli -- db migrate`');
      expect(await cli(['db', 'migrate'])).toEqual({
        code: 0,
        output: expect.stringMatching(/^migrated 0001-initial\n(migrated \d{4}-[a-z-]+\n)+$/),
      });
      expect(await cli(['db', 'migrate'])).toEqual({ code: 0, output: 'nothing to migrate\n' });
      expect(await refusedStart({})).toContain(`root key file ${rootKey}`);
    });
  });

  describePostgres('on a PostgreSQL that takes no writes', () => {
    it('says so in one line', async () => {
      const database = await newPostgresDatabase();
      const url = new URL(database.url);
      url.searchParams.set('options', '-c default_transaction_read_only=on');
      const output = await refusedStart({ DATABASE_URL: url.href }).finally(() => database.drop());
      expect(output).toBe(
        'cannot start: the database cannot be used (25006): check that it takes writes, has room and nothing locks it\n',
      );
    });
  });

  describe('the command line', () => {
    it('adds an administrator whose password comes from standard input', async () => {
      const email = newEmail();
      const { code, output } = await cli(['users', 'create-admin', '--email', email], `${PASSWORD}\n`);
      expect({ code, output }).toMatchObject({
        code: 0,
        output: expect.stringMatching(/^created administrator [0-9a-f-]{36}\n$/),
      });
      const server = build.run('main.js', [], { ...environment, LOG_LEVEL: 'info' });
      const client = await server.client(join(directory, 'certs'));
      const login = await client.post('/v1/auth/login', { email, password: PASSWORD });
      const me = await client.get('/v1/users/me', login.string('accessToken'));
      expect(me.members).toMatchObject({ email, roles: ['user', 'admin'] });
      const events = await client.get('/v1/audit?action=auth.register', login.string('accessToken'));
      expect(events.items).toMatchObject([{ actor: 'system', target: `user:${String(me.members['id'])}` }]);
      client.close();
      expect(await server.stop()).toBe(0);
    });

    it.each<[string, string, string | Buffer, RegExp]>([
      [
        'a password that is not UTF-8',
        'ada@example.com',
        Buffer.from(`${PASSWORD}\u00e9`, 'latin1'),
        /UTF-8/,
      ],
      ['no password', 'ada@example.com', '', /no password was given/],
      ['a weak password', 'ada@example.com', 'short\n', /15 characters/],
      ['an address that is none', 'ada', `${PASSWORD}\n`, /--email must be an e-mail address/],
    ])('refuses %s in one line', async (_claim, email, input, reason) => {
      const { code, output } = await cli(['users', 'create-admin', '--email', email], input);
      expect(code).toBe(1);
      expect(output).toMatch(reason);
      expect(output.trim().split('\n')).toHaveLength(1);
    });

    it('shows and rotates keys, and destroys one that nothing is under any more', async () => {
      expect((await cli(['users', 'create-admin', '--email', newEmail()], `${PASSWORD}\n`)).code).toBe(0);
      const old = /^([0-9a-f]{16}) +password-pepper +1 +PRIMARY +0 +1 /m;
      const [, id = ''] = old.exec((await cli(['keys', 'status'])).output) ?? [];
      expect(await cli(['keys', 'destroy', id])).toEqual({
        code: 1,
        output: `key ${id} is PRIMARY: rotate password-pepper first\n`,
      });
      expect(await cli(['keys', 'rotate', 'password-pepper'])).toEqual({
        code: 0,
        output: 'done: password-pepper of system: 1 of 1\n',
      });
      expect(await cli(['keys', 'rewrap'])).toEqual({ code: 0, output: 'nothing to do\n' });
      expect(await cli(['keys', 'destroy', id])).toEqual({ code: 0, output: `destroyed key ${id}\n` });
      expect((await cli(['keys', 'status'])).output).toMatch(
        /^[0-9a-f]{16} +password-pepper +2 +PRIMARY +0 +1 /m,
      );
    });

    it('exits with 1 while a row cannot be brought to a new key, and with 0 once it is restored', async () => {
      expect((await cli(['users', 'create-admin', '--email', newEmail()], `${PASSWORD}\n`)).code).toBe(0);
      const database = await openDatabase({
        url: `sqlite:${join(directory, 'data', 'app.db')}`,
        creates: false,
        onIdleError: () => {},
      });
      const write = (password_ciphertext: Buffer) =>
        database.query.updateTable('users').set({ password_ciphertext }).execute();
      try {
        const { password_ciphertext } = await database.query
          .selectFrom('users')
          .select('password_ciphertext')
          .executeTakeFirstOrThrow();
        const damaged = Buffer.from(password_ciphertext);
        damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
        await write(damaged);
        const incomplete = 'incomplete: password-pepper of system: 0 of 1, 1 could not be moved';
        for (const args of [['rotate', 'password-pepper'], ['rewrap']]) {
          const { code, output } = await cli(['keys', ...args]);
          expect(code).toBe(1);
          expect(output).toMatch(new RegExp(`stays under key [0-9a-f]{16}: .*\\n(.*\\n)?${incomplete}\\n$`));
        }
        await write(Buffer.from(password_ciphertext));
        expect(await cli(['keys', 'rewrap'])).toEqual({
          code: 0,
          output: 'done: password-pepper of system: 1 of 1\n',
        });
      } finally {
        await database.close();
      }
    });

    it('rotates the keys of all others when those of one user, or a job, were tampered with', async () => {
      for (let users = 0; users < 2; users++)
        expect((await cli(['users', 'create-admin', '--email', newEmail()], `${PASSWORD}\n`)).code).toBe(0);
      const file = new DatabaseSync(join(directory, 'data', 'app.db'));
      const damaged = file
        .prepare(
          `update keys set wrapped = x'00' where id = (
            select min(id) from keys where purpose = 'user-kek'
          ) returning id, owner_id as owner`,
        )
        .get();
      file
        .prepare(
          `insert into key_jobs (id, kind, purpose, owner_id, position, done, total, created_at)
          values ('0', 'REENCRYPT', 'nothing', 'system', '', 0, 1, 0)`,
        )
        .run();
      file.close();
      const { id, owner } = damaged as Record<string, string>;
      const rotated = await cli(['keys', 'rotate', 'email']);
      expect(rotated.code).toBe(1);
      expect(rotated.output).toContain(
        `email of ${owner} could not be rotated: key ${id} cannot be unwrapped, restore its row\n`,
      );
      expect(rotated.output.match(/^done: email of .*: 1 of 1$/gm)).toHaveLength(1);
      const { code, output } = await cli(['keys', 'rewrap']);
      expect({ code, output }).toEqual({
        code: 1,
        output:
          'nothing of system could not be rotated: TypeError: key purpose nothing is not known for this owner\n',
      });
    });

    it.each<[string, readonly string[], RegExp]>([
      ['the keys of nobody', ['status', '--owner', 'nobody'], /^no keys of owner nobody\n$/],
      [
        'new keys for nobody',
        ['rotate', 'secret', '--owner', 'nobody'],
        /^no keys of owner nobody for secret/,
      ],
      [
        'a purpose that is none',
        ['rotate', 'constructor'],
        /^constructor is no purpose, want one of user-kek/,
      ],
      [
        'an owner that cannot have it',
        ['rotate', 'email', '--owner', 'system'],
        /^the system has no keys email/,
      ],
      ['a rotation of nothing', ['rotate', 'audit-kek'], /^there is no key audit-kek to rotate/],
      ['an unknown key', ['destroy', 'x'], /^key x does not exist/],
    ])('refuses %s in one line', async (_claim, args, reason) => {
      const { code, output } = await cli(['keys', ...args]);
      expect(code).toBe(1);
      expect(output).toMatch(reason);
      expect(output.trim().split('\n')).toHaveLength(1);
    });

    it('refuses an e-mail address that is taken', async () => {
      const args = ['users', 'create-admin', '--email', newEmail()];
      expect((await cli(args, `${PASSWORD}\n`)).code).toBe(0);
      expect(await cli(args, `${PASSWORD}\n`)).toEqual({
        code: 1,
        output: 'the e-mail address belongs to another user\n',
      });
    });
  });
});
