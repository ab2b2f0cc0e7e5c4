import { join, relative } from 'node:path';
import { type AppConfig } from '../config/app-config.js';

/** `curl` as it trusts this server, for a shell in the working directory: files of your own may need nothing more. */
export function curlCommand({ files, directory }: AppConfig['tls']): string {
  if (files) return 'curl';
  return `curl --cacert ${shellWord(relative(process.cwd(), join(directory, 'ca.pem')))}`;
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
