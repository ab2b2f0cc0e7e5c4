import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SealingPublicKey } from '../../src/crypto/sealing-key.js';
import { type Account, newAccount } from '../support/accounts.js';
import { CommandLineClient } from '../support/command-line-client.js';
import { newCa } from '../support/test-ca.js';
import { type TestApp } from '../support/test-app.js';

const DOTENV = `# a comment
DATABASE_URL="postgres://app:s3cr3t@db/app"
MULTILINE='one
two'
QUOTED='say "hi"'
EMPTY=
`;

/** Every call is a process of its own. */
jest.setTimeout(120_000);

describe('the command line as a client', () => {
  let client: CommandLineClient;
  let app: TestApp;
  let owner: Account;
  let cli: CommandLineClient['run'];
  beforeAll(async () => {
    client = await CommandLineClient.create();
    ({ app, owner } = client);
    cli = (...args) => client.run(...args);
    await writeFile(file('app.env'), DOTENV);
  });
  afterAll(() => client.close());

  const file = (name: string) => client.file(name);

  async function newKey(session: string, scopes: readonly string[]): Promise<string> {
    return (await app.post('/v1/api-keys', { name: 'command line', scopes }, session)).string('key');
  }

  it('writes and reads secrets, whole and entry by entry', async () => {
    const put = await cli(['secrets', 'put', 'db.main'], { input: '{"url":"one","user":"ada"}' });
    expect(put).toEqual({ exitCode: 0, output: 'wrote db.main version 1\n' });
    const set = await cli(['secrets', 'put', 'db.main', '--key', 'url'], { input: 'twö\n' });
    expect(set.output).toBe('wrote db.main version 2\n');
    const made = await cli(['secrets', 'put', 'db.other', '--key', 'url'], { input: 'three' });
    expect(made.output).toBe('wrote db.other version 1\n');
    const whole = await cli(['secrets', 'get', 'db.main']);
    expect(JSON.parse(whole.output)).toEqual({ url: 'twö', user: 'ada' });
    expect((await cli(['secrets', 'get', 'db.main', '--key', 'url'])).output).toBe('twö');
    const first = await cli(['secrets', 'get', 'db.main', '--key', 'url', '--version', '1']);
    expect(first.output).toBe('one');
    const list = await cli(['secrets', 'list', '--prefix', 'db.']);
    expect(list.output).toBe('db.main\t2\tactive\ndb.other\t1\tactive\n');
  });

  it('imports a .env file and exports what gives it back', async () => {
    const imported = await cli(['secrets', 'import', file('app.env')]);
    expect(imported).toEqual({ exitCode: 0, output: 'wrote 4 variables to env version 1\n' });
    const exported = await cli(['secrets', 'export']);
    await writeFile(file('copy.env'), exported.output);
    await cli(['secrets', 'import', file('copy.env'), '--secret', 'copy']);
    const copy = await app.get('/v1/secrets/copy', owner.token);
    expect(copy.members['data']).toEqual({
      DATABASE_URL: 'postgres://app:s3cr3t@db/app',
      MULTILINE: 'one\ntwo',
      QUOTED: 'say "hi"',
      EMPTY: '',
    });
  });

  it('ends without a word when nobody reads its output any more', async () => {
    await cli(['secrets', 'put', 'piped'], { input: 'A=b' });
    for (const args of [['get', 'piped'], ['list'], ['export', '--secret', 'piped']]) {
      const running = client
        .start(['secrets', ...args])
        .type('')
        .stopReading();
      expect({ args, exitCode: await running.exitCode(), output: running.output }).toEqual({
        args,
        exitCode: 141,
        output: '',
      });
    }
  });

  it('does everything with an API key that has the scopes', async () => {
    const { token: session } = await newAccount(app);
    const token = await newKey(session, ['secrets:read', 'secrets:write']);
    const put = await cli(['secrets', 'put', 'mine'], { input: 'A=b', token });
    expect(put).toEqual({ exitCode: 0, output: 'wrote mine version 1\n' });
    const get = await cli(['secrets', 'get', 'mine', '--key', 'A'], { token });
    expect(get).toEqual({ exitCode: 0, output: 'b' });
    const imported = await cli(['secrets', 'import', file('app.env')], { token });
    expect(imported).toEqual({ exitCode: 0, output: 'wrote 4 variables to env version 1\n' });
    const list = await cli(['secrets', 'list'], { token });
    expect(list).toEqual({ exitCode: 0, output: 'env\t1\tactive\nmine\t1\tactive\n' });
    const exported = await cli(['secrets', 'export', '--secret', 'mine'], { token });
    expect(exported).toEqual({ exitCode: 0, output: "A='b'\n" });
    const script = 'process.stdout.write(process.env.A)';
    const ran = await cli(['secrets', 'run', '--secret', 'mine', '--', process.execPath, '-e', script], {
      token,
    });
    expect(ran).toEqual({ exitCode: 0, output: 'b' });
  });

  it('is refused in one line what its API key has no scope for', async () => {
    const { token: session } = await newAccount(app);
    await cli(['secrets', 'put', 'mine'], { input: 'A=b', token: session });
    const reader = await newKey(session, ['secrets:read']);
    expect((await cli(['secrets', 'get', 'mine', '--key', 'A'], { token: reader })).output).toBe('b');
    const writer = await newKey(session, ['secrets:write']);
    const commands: [string[], string][] = [
      [['secrets', 'put', 'mine'], reader],
      [['secrets', 'import', file('app.env')], reader],
      [['secrets', 'get', 'mine'], writer],
      [['secrets', 'list'], writer],
      [['secrets', 'export', '--secret', 'mine'], writer],
      [['secrets', 'run', '--secret', 'mine', '--', process.execPath, '-p', '"started"'], writer],
    ];
    for (const [args, token] of commands) {
      const refused = await cli(args, { input: 'A=hidden-value', token });
      expect({ args, ...refused }).toEqual({
        args,
        exitCode: 1,
        output: expect.stringMatching(/^refused with 403 ERR_FORBIDDEN: [^\n]+\n$/),
      });
    }
  });

  it('signs in with a key from a file that only its owner can read', async () => {
    await writeFile(file('key'), `${owner.token}\n`, { mode: 0o600 });
    const environment = { API_KEY_FILE: file('key') };
    const withFile = (args: string[]) => cli(args, { environment, token: '' });
    expect((await withFile(['secrets', 'list', '--prefix', 'zzz'])).exitCode).toBe(0);
    await chmod(file('key'), 0o640);
    const refused = await withFile(['secrets', 'list']);
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain('can be read by others');
    expect(refused.output).not.toContain(owner.token);
  });

  it('talks to no server whose certificate it can not check', async () => {
    await writeFile(file('empty.pem'), '');
    const refused = await cli(['secrets', 'list'], { environment: { API_CA_FILE: file('empty.pem') } });
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toMatch(/^https:\/\/127\.0\.0\.1:\d+ cannot be asked \([A-Z_]+\)\n$/);
    const plain = await cli(['secrets', 'list'], { environment: { API_URL: 'http://127.0.0.1' } });
    expect(plain).toEqual({ exitCode: 1, output: 'API_URL must be an https:// URL\n' });
  });

  it('gives its key to no server of another authority, whatever the environment allows', async () => {
    const certificate = await (await newCa()).issue();
    let requests = 0;
    const impostor = createServer({ cert: certificate.pem, key: certificate.key }, (_request, response) => {
      requests += 1;
      response.end('{"items":[],"nextCursor":null}');
    }).listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}`;
    const environment = { API_URL: url, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const refused = await cli(['secrets', 'list'], { environment }).finally(() => impostor.close());
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain(`${url} cannot be asked (`);
    expect(requests).toBe(0);
    // Node's warnings are shown, but those of what the command line does itself.
    expect(refused.output).toContain('Warning: Setting the NODE_TLS_REJECT_UNAUTHORIZED');
  });

  it('says what the server refused, in one line and without a value', async () => {
    const missing = await cli(['secrets', 'get', 'nothing.here']);
    expect(missing.output).toBe('refused with 404 ERR_SECRET_NOT_FOUND: there is no such secret\n');
    const invalid = await cli(['secrets', 'put', '.bad'], { input: 'A=hidden-value' });
    expect(invalid.exitCode).toBe(1);
    expect(invalid.output).toContain('ERR_VALIDATION');
    expect(invalid.output).not.toContain('hidden-value');
    const unsigned = await cli(['secrets', 'list'], { environment: { API_KEY: 'wrong' } });
    expect(unsigned.output).toContain('refused with 401 ERR_UNAUTHENTICATED');
  });

  it.each(['MLKEM768-X25519', 'X25519'] as const)(
    'makes a key pair of %s and opens what is sealed to it',
    async (kem) => {
      const friend = await newAccount(app);
      const key = file(`${kem}.key`);
      const made = await cli(['keypair', key, '--kem', kem]);
      expect((await stat(key)).mode & 0o777).toBe(0o600);
      expect(made.output).toMatch(/^[\w-]+\n$/);
      const json = { publicKey: made.output.trim() };
      const registered = await app.request('PUT', '/v1/users/me/public-key', { token: friend.token, json });
      expect(registered.members).toMatchObject({ kem, holder: 'client' });
      const put = { token: owner.token, json: { data: { v: 'for one pair of eyes' } } };
      await app.request('PUT', '/v1/secrets/sealed', put);
      const grant = await app.post('/v1/secrets/sealed/grants', { userId: friend.id }, owner.token);
      const answer = await app.get(`/v1/grants/${grant.string('id')}`, friend.token);
      const opened = await cli(['open', '--key', key], { input: answer.text });
      expect(JSON.parse(opened.output)).toEqual({ v: 'for one pair of eyes' });

      const parameters = { id: '0123456789abcdef', owner: 'me', kem };
      const sealTo = await SealingPublicKey.import(parameters, Buffer.from(json.publicKey, 'base64url'));
      const sealed = await sealTo.seal(Buffer.from('{"v":'), { purpose: 'grant/v1' });
      const input = JSON.stringify({
        kem,
        info: { purpose: 'grant/v1' },
        sealed: sealed.toString('base64url'),
      });
      const noSecret = await cli(['open', '--key', key], { input });
      expect(noSecret).toEqual({ exitCode: 1, output: 'what was sealed is no secret\n' });

      expect((await cli(['keypair', key])).output).toBe(`${key} cannot be written, or is there already\n`);
      await cli(['keypair', file(`${kem}.other`), '--kem', kem]);
      const other = await cli(['open', '--key', file(`${kem}.other`)], { input: answer.text });
      expect(other).toEqual({ exitCode: 1, output: 'it is sealed to another key, or was changed\n' });
      const nonsense = await cli(['open', '--key', key], { input: '{"sealed":1}' });
      expect(nonsense.exitCode).toBe(1);
      expect(await readFile(key, 'utf8')).toMatch(/^[\w-]{43}\n$/);
    },
  );
});
