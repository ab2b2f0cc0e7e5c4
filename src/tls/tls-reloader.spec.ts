import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { badPairs } from '../../test/support/bad-pairs.js';
import { newCa, type TestCertificate, writePair } from '../../test/support/test-ca.js';
import { filesOf, loadTlsMaterial, type TlsMaterial, type TlsSource } from './tls-material.js';
import { TlsReloader } from './tls-reloader.js';

let directory: string;
let ca: TestCertificate;
let server: Server;
let reloader: TlsReloader;
let applied: TlsMaterial[];
let errors: string[];
let others: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-reloader-'));
  ca = await newCa();
  applied = [];
  errors = [];
  others = [];
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function serve(
  files: Pick<TlsSource, 'certFile' | 'keyFile' | 'passphrase' | 'clients'>,
): Promise<void> {
  const source: TlsSource = { ...files, profile: 'intermediate', production: true };
  reloader = await TlsReloader.create({
    files: filesOf(source),
    load: (before) => loadTlsMaterial(source, new Date(), before),
    apply: (material) => {
      server.setSecureContext(material.options);
      applied.push(material);
    },
    log: {
      log: (_fields, message) => others.push(message),
      warn: (_fields, message) => others.push(message),
      error: (_fields, message) => errors.push(message),
    },
  });
  server = createServer(reloader.current.options).listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** Of the certificate that a new connection gets. */
async function servedSerial(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: ca.pem });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

async function look(times: number): Promise<void> {
  for (let time = 0; time < times; time++) await reloader.look();
}

describe('TlsReloader', () => {
  it('serves a pair that was written over the old one, at the next look', async () => {
    await serve(await writePair(directory, [await ca.issue()]));
    const next = await ca.issue();
    await writePair(directory, [next]);
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
    expect(errors).toEqual([]);
  });

  it('serves a pair that was renamed over the old one', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    await serve(files);
    const next = await ca.issue();
    await mkdir(join(directory, 'aside'));
    const aside = await writePair(join(directory, 'aside'), [next]);
    await rename(aside.certFile, files.certFile);
    await rename(aside.keyFile, files.keyFile);
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
  });

  it('serves a pair behind a directory link that was swapped, as in a Kubernetes secret', async () => {
    for (const name of ['..1', '..2']) await mkdir(join(directory, name));
    const next = await ca.issue();
    await writePair(join(directory, '..1'), [await ca.issue()]);
    await writePair(join(directory, '..2'), [next]);
    await symlink('..1', join(directory, '..data'));
    await symlink(join('..data', 'chain.pem'), join(directory, 'tls.crt'));
    await symlink(join('..data', 'key.pem'), join(directory, 'tls.key'));
    await serve({ certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') });
    await symlink('..2', join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
  });

  it('serves a pair whose links were swapped one after the other, as by certbot', async () => {
    const [first, next] = [await ca.issue(), await ca.issue()];
    for (const [name, certificate] of Object.entries({ archive1: first, archive2: next })) {
      await mkdir(join(directory, name));
      await writePair(join(directory, name), [certificate]);
    }
    const swap = async (file: string, archive: string) => {
      await symlink(join(archive, file), join(directory, `${file}.new`));
      await rename(join(directory, `${file}.new`), join(directory, file));
    };
    for (const file of ['chain.pem', 'key.pem']) await swap(file, 'archive1');
    await serve({ certFile: join(directory, 'chain.pem'), keyFile: join(directory, 'key.pem') });
    await swap('chain.pem', 'archive2');
    await look(1);
    expect(await servedSerial()).toBe(first.serialNumber);
    await swap('key.pem', 'archive2');
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
    expect(errors).toEqual([]);
  });

  it('does nothing for files that were touched or written anew with the same contents', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    await serve(files);
    await utimes(files.certFile, 1, 1);
    await writeFile(files.keyFile, await readFile(files.keyFile));
    await look(5);
    expect({ applied, errors, others }).toEqual({ applied: [], errors: [], others: [] });
  });

  it('reads the files on command though nothing seems changed, and says so', async () => {
    await serve(await writePair(directory, [await ca.issue()]));
    await reloader.reload();
    expect(others).toEqual(['the TLS files are those that are served']);
  });

  it('goes on with the old pair where the new one is bad, and reports it once', async () => {
    const first = await ca.issue();
    const files = await writePair(directory, [first]);
    await serve(files);
    await writeFile(files.keyFile, (await ca.issue()).key);
    await look(20);
    expect(errors).toEqual([
      'new TLS files are refused, the old ones go on serving: ' +
        `TLS private key ${files.keyFile} does not belong to the certificate ${files.certFile}`,
    ]);
    expect(await servedSerial()).toBe(first.serialNumber);
  });

  it('reports a bad pair at once on command, and not again', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    await serve(files);
    await truncate(files.certFile, 100);
    await reloader.reload();
    expect(errors).toEqual([expect.stringContaining('is cut short: 0 of 1 certificates are complete')]);
    await reloader.reload();
    await look(10);
    expect(errors).toHaveLength(1);
  });

  it('reports nothing of a pair that is being written, however many parts it comes in', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    await serve(files);
    const next = await ca.issue();
    for (let length = 0; length < next.pem.length; length += 100) {
      await writeFile(files.certFile, next.pem.slice(0, length));
      await look(2);
    }
    await writeFile(files.certFile, next.pem);
    await look(2);
    await writeFile(files.keyFile, next.key);
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
    expect(errors).toEqual([]);
  });

  it('reports a second bad pair too, and serves a good one after both', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    await serve(files);
    await writeFile(files.certFile, '');
    await look(5);
    await rm(files.certFile);
    await look(5);
    expect(errors).toEqual([
      expect.stringMatching(/chain\.pem is empty/),
      expect.stringMatching(/chain\.pem does not exist/),
    ]);
    const next = await ca.issue();
    await writePair(directory, [next]);
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
  });

  it.each(badPairs)('keeps the old pair where there is one %s', async (_claim, reason, spoil) => {
    const first = await ca.issue();
    await serve(await writePair(directory, [first]));
    await spoil(directory, ca);
    await reloader.reload();
    expect(errors).toEqual([expect.stringMatching(reason)]);
    expect(errors[0]).not.toMatch(/\n|PRIVATE KEY|passphrase of this test|MII|MIG/);
    expect(await servedSerial()).toBe(first.serialNumber);
  });

  it('keeps the old pair where the new chain lacks the intermediate that the old one had', async () => {
    const intermediate = await ca.issue({ name: 'CN=Intermediate', isCa: true });
    const first = await intermediate.issue();
    await serve(await writePair(directory, [first, intermediate]));
    const next = await intermediate.issue();
    await writePair(directory, [next]);
    await reloader.reload();
    expect(errors).toEqual([expect.stringContaining('lacks the certificate of its issuer, CN=Intermediate')]);
    await writePair(directory, [next, intermediate]);
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
  });

  it('reads the passphrase again with a key that comes under another', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    const passphrase = { file: join(directory, 'passphrase') };
    const write = async (certificate: TestCertificate, words: string) => {
      await writePair(directory, [certificate]);
      await writeFile(files.keyFile, certificate.encryptedKey(words));
      await writeFile(passphrase.file, `${words}\n`);
    };
    await write(await ca.issue(), 'first words');
    await serve({ ...files, passphrase });
    const next = await ca.issue();
    await write(next, 'other words');
    await look(1);
    expect(await servedSerial()).toBe(next.serialNumber);
  });

  it('serves a new revocation list without a new certificate', async () => {
    const files = await writePair(directory, [await ca.issue()]);
    const client = await ca.issue({ name: 'CN=client' });
    const [caFile, crlFile] = [join(directory, 'clients.pem'), join(directory, 'clients.crl')];
    await writeFile(caFile, ca.pem);
    await writeFile(crlFile, await ca.revoke([]));
    await serve({ ...files, clients: { auth: 'required', caFile, crlFile } });
    await writeFile(crlFile, await ca.revoke([client]));
    await look(1);
    expect(applied).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});
