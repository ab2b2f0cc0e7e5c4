import { constants, copyFile, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { StartError } from '../common/start-error.js';
import { type AppConfig } from '../config/app-config.js';
import { AppConfigModule } from '../config/config.module.js';
import { describeCertificate } from '../tls/describe-certificate.js';
import { ensureDevelopmentCertificates } from '../tls/development-certificates.js';
import { makeDevelopmentClient } from '../tls/development-client.js';
import { parseCertificates, readTlsFile } from '../tls/pem-certificates.js';
import { loadTlsMaterial } from '../tls/tls-material.js';
import { trustCommands } from './trust-commands.js';

export function certsCommand(): Command {
  return new Command('certs')
    .description('certificates: of the server, and of the development CA')
    .addCommand(
      new Command('inspect')
        .description(
          "show the server's certificate, or those of a PEM file, and whether a start would take it",
        )
        .argument('[file]', 'a PEM file')
        .action(inspect),
    )
    .addCommand(
      new Command('renew').description('make a new development certificate for the server').action(renew),
    )
    .addCommand(
      new Command('client')
        .description('make a client certificate of the development CA')
        .argument('<name>', 'whose it is, such as billing')
        .action(client),
    )
    .addCommand(
      new Command('export-ca')
        .description('print the development CA, and the commands that trust it on standard error')
        .option('--out <file>', 'write it to a new file instead')
        .action(exportCa),
    );
}

async function inspect(file: string | undefined): Promise<void> {
  const { config } = await AppConfigModule.load();
  const { files, directory, profile, clients } = config.tls;
  const source = {
    ...(files ?? { certFile: join(directory, 'server.pem'), keyFile: join(directory, 'server.key') }),
    profile,
    clients,
    production: config.isProduction,
  };
  const path = file ?? source.certFile;
  const pem = readTlsFile(path, { content: 'certificate', variable: 'TLS_CERT_FILE' });
  const certificates = parseCertificates(pem, `TLS certificate ${path}`);
  const now = new Date();
  for (const certificate of certificates) print([...describeCertificate(certificate, now), '']);
  if (file !== undefined) return;
  await loadTlsMaterial(source, now);
  print([`a start with NODE_ENV=${config.isProduction ? 'production' : 'development'} takes it`]);
}

async function renew(): Promise<void> {
  const config = await developmentConfig();
  if (config.tls.files) {
    throw new StartError(
      `${config.tls.files.certFile} is yours to renew: this command makes development certificates only`,
    );
  }
  const { certFile } = await ensureDevelopmentCertificates({
    directory: config.tls.directory,
    now: new Date(),
    renew: true,
  });
  print([`renewed ${shown(certFile)}: a running server notices it within two seconds`]);
}

async function client(name: string): Promise<void> {
  const { tls, server } = await developmentConfig();
  const made = await makeDevelopmentClient({ directory: tls.directory, name, now: new Date() });
  const [ca, cert, key] = [shown(made.caFile), shown(made.certFile), shown(made.keyFile)];
  print([
    `made ${cert} and ${key}`,
    '',
    'A server lets it in with',
    '  TLS_CLIENT_AUTH=required',
    `  TLS_CLIENT_CA_FILE=${ca}`,
    '',
    `curl --cacert ${ca} --cert ${cert} --key ${key} https://localhost:${server.port}/health/live`,
  ]);
}

async function exportCa({ out }: { readonly out?: string }): Promise<void> {
  const { tls } = await developmentConfig();
  const { caFile } = await ensureDevelopmentCertificates({ directory: tls.directory, now: new Date() });
  if (out === undefined) {
    process.stdout.write(await readFile(caFile, 'utf8'));
    process.stderr.write(`${trustCommands(caFile).join('\n')}\n`);
    return;
  }
  // Never over another file: it could be a key.
  await copyFile(caFile, out, constants.COPYFILE_EXCL).catch((cause: unknown) => {
    throw new StartError(`${out} cannot be written, or is there already`, { cause });
  });
  print([`wrote ${out}`, '', ...trustCommands(resolve(out))]);
}

/** What only a development machine may trust has no place in production. */
async function developmentConfig(): Promise<AppConfig> {
  const { config } = await AppConfigModule.load();
  if (config.isProduction) throw new StartError('the development CA is not for NODE_ENV=production');
  return config;
}

function shown(path: string): string {
  const local = relative(process.cwd(), path);
  return local.startsWith('..') ? path : local;
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
