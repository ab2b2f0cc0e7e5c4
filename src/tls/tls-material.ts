import type { ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { errorCode } from '../common/error-code.js';
import { type SecretText } from '../common/secret-text.js';
import { StartError } from '../common/start-error.js';
import { type ClientAuthorities, loadClientAuthorities } from './client-authorities.js';
import { loadServerCertificate, type ServerCertificate } from './server-certificate.js';
import { tlsOptions, type TlsProfile } from './tls-options.js';

/** The files that a TLS server's settings name. */
export interface TlsSource {
  readonly certFile: string;
  readonly keyFile: string;
  readonly passphrase?: SecretText | { readonly file: string } | undefined;
  readonly clients?:
    | {
        readonly auth: 'optional' | 'required';
        readonly caFile: string;
        readonly crlFile: string | undefined;
      }
    | undefined;
  readonly profile: TlsProfile;
  readonly production: boolean;
}

/** What the files held, checked, and the options that a server gets of it. */
export interface TlsMaterial {
  readonly certificate: ServerCertificate;
  readonly clients: ClientAuthorities | undefined;
  readonly options: ServerOptions;
}

/** Every file that a change of may have to be served. */
export function filesOf({ certFile, keyFile, passphrase, clients }: TlsSource): string[] {
  const files = [certFile, keyFile];
  if (passphrase && 'file' in passphrase) files.push(passphrase.file);
  if (clients) files.push(clients.caFile);
  if (clients?.crlFile !== undefined) files.push(clients.crlFile);
  return files;
}

/**
 * Reads all files and checks them, on their own and together.
 *
 * @param before - what was served until now, when this is to replace it
 * @throws StartError naming the file at fault
 */
export async function loadTlsMaterial(
  source: TlsSource,
  now: Date,
  before?: TlsMaterial,
): Promise<TlsMaterial> {
  const { production, profile } = source;
  const certificate = loadServerCertificate({
    ...source,
    now,
    ...(before && { before: before.certificate }),
  });
  const clients = source.clients && (await loadClientAuthorities({ ...source.clients, now, production }));
  const options = tlsOptions(certificate, { profile, clients });
  try {
    createSecureContext(options);
  } catch (error) {
    throw new StartError(`the TLS files are refused by OpenSSL (${errorCode(error) ?? 'unknown reason'})`, {
      cause: error,
    });
  }
  return { certificate, clients, options };
}
