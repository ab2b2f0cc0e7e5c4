import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { StartError } from '../common/start-error.js';
import { readPrivateFile } from '../config/client-config.js';
import { DecryptionError } from '../crypto/errors.js';
import { recipientKeyIdOf } from '../crypto/sealed-box.js';
import { type SealingInfo, SealingKeyPair } from '../crypto/sealing-key.js';
import { type KemName, sealingSuites } from '../crypto/sealing-suites.js';
import { randomKeyBytes, randomKeyId } from '../crypto/symmetric-key.js';
import { readInput } from './read-input.js';

const SEED = /^[A-Za-z0-9_-]{43}$/;
/** The first one is the default. */
const KEMS = Object.keys(sealingSuites);

/** Makes the key pair of a recipient. Its private half stays in the file and never reaches a server. */
export function keypairCommand(): Command {
  return new Command('keypair')
    .description('make a key pair for `PUT /v1/users/me/public-key`: prints the public key')
    .argument('<file>', 'where the private half goes, mode 0600')
    .addOption(new Option('--kem <name>').choices(KEMS).default(KEMS[0]))
    .action(makeKeyPair);
}

/** Opens what a server sealed to such a key pair. */
export function openCommand(): Command {
  return new Command('open')
    .description('open a sealed grant: the answer of `GET /v1/grants/{id}` on standard input')
    .requiredOption('--key <file>', 'the private half, as `keypair` wrote it')
    .action(open);
}

async function makeKeyPair(file: string, { kem }: { readonly kem: KemName }): Promise<void> {
  const seed = randomKeyBytes();
  const text = `${seed.toString('base64url')}\n`;
  const { publicKey } = await SealingKeyPair.import({ id: randomKeyId(), owner: 'me', kem }, seed);
  // Never over another one: what was sealed to that could not be opened any more.
  await writeFile(file, text, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
    throw new StartError(`${file} cannot be written, or is there already`, { cause });
  });
  process.stdout.write(`${publicKey.bytes.toString('base64url')}\n`);
}

async function open({ key: file }: { readonly key: string }): Promise<void> {
  const seed = readPrivateFile(file);
  if (!SEED.test(seed)) throw new StartError(`${file} is not a private half that \`keypair\` wrote`);
  const { box, kem, info } = parseAnswer(await readInput('the answer of `GET /v1/grants/{id}`'));
  try {
    // The owner says whose key it is where keys of many are kept; here there is one.
    const parameters = { id: recipientKeyIdOf(box), owner: 'me', kem };
    const pair = await SealingKeyPair.import(parameters, Buffer.from(seed, 'base64url'));
    const plaintext = await pair.open(box, info);
    process.stdout.write(`${JSON.stringify(parseSecret(plaintext), undefined, 2)}\n`);
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    throw new StartError('it is sealed to another key, or was changed', { cause: error });
  }
}

/** Anybody who has the public key could have sealed anything. */
function parseSecret(plaintext: Buffer): unknown {
  try {
    return JSON.parse(plaintext.toString('utf8'));
  } catch (cause) {
    throw new StartError('what was sealed is no secret', { cause });
  }
}

function parseAnswer(text: string): { box: Buffer; kem: KemName; info: SealingInfo } {
  try {
    const { sealed, kem, info } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const isWhole = typeof sealed === 'string' && typeof info === 'object' && info !== null;
    if (isWhole && typeof kem === 'string' && Object.hasOwn(sealingSuites, kem)) {
      return { box: Buffer.from(sealed, 'base64url'), kem: kem as KemName, info: info as SealingInfo };
    }
  } catch {
    // The same as an answer without those members.
  }
  throw new StartError('standard input is not the answer of `GET /v1/grants/{id}` with a sealed box');
}
