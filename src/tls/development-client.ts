import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../common/start-error.js';
import { ensureDevelopmentCertificates, ensureKey, PUBLIC_MODE } from './development-certificates.js';
import { publish } from './pem-file.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

export interface DevelopmentClient {
  readonly caFile: string;
  /** The client's chain, leaf first. */
  readonly certFile: string;
  /** Its private key, PKCS#8 PEM, mode 0600. */
  readonly keyFile: string;
}

/**
 * Makes a client certificate of the development CA, or a new one for a key that is there already.
 *
 * @throws StartError when the name can't be used, or a file can't be read or written
 */
export async function makeDevelopmentClient({
  directory,
  name,
  now,
}: {
  directory: string;
  name: string;
  now: Date;
}): Promise<DevelopmentClient> {
  if (!NAME.test(name)) {
    throw new StartError(
      'the name of a client must be up to 40 letters, digits, hyphens or underscores, a letter or digit first',
    );
  }
  const { caFile } = await ensureDevelopmentCertificates({ directory, now });
  const certificate = await readFile(caFile, 'utf8');
  const caKey = createPrivateKey(await readFile(join(directory, 'ca.key')));
  const files = {
    certFile: join(directory, `client-${name}.pem`),
    keyFile: join(directory, `client-${name}.key`),
  };
  const key = await ensureKey(files.keyFile);
  const { issueClientCertificate } = await import('./issue-certificate.js');
  const pem = await issueClientCertificate({ certificate, key: caKey }, key, now, name);
  await publish(files.certFile, pem, { mode: PUBLIC_MODE, on: 'replace' });
  return { caFile, ...files };
}
