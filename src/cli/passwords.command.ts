import { createReadStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { ENTRY_BYTES, entryOf, MAGIC, packEntries } from '../users/password-list-format.js';
import { listedForm } from '../users/password-shape.js';
import { UsersModule } from '../users/users.module.js';
import { withModule } from './application-context.js';

const FIRST_ENTRIES = 65_536;

export function passwordsCommand(): Command {
  return new Command('passwords')
    .description('the passwords that nobody may choose')
    .addCommand(
      new Command('pack')
        .description('make a list for PASSWORD_LIST_FILE of a text file with a password on each line')
        .argument('<text>', 'the text file, UTF-8')
        .argument('<list>', 'where to write the list')
        .action(pack),
    );
}

async function pack(text: string, list: string): Promise<void> {
  await withModule(UsersModule, async (context) => {
    const cryptoService = context.get(CryptoService, { strict: false });
    const file = packEntries(await orRefuse(`${text} cannot be read`, readEntries(text, cryptoService)));
    await orRefuse(`${list} cannot be written`, replaceFile(list, file));
    process.stdout.write(`packed ${(file.length - MAGIC.length) / ENTRY_BYTES} passwords\n`);
  });
}

async function readEntries(text: string, cryptoService: CryptoService): Promise<Float64Array> {
  let entries = new Float64Array(FIRST_ENTRIES);
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(text, 'utf8') })) {
    if (line === '') continue;
    if (count === entries.length) {
      const more = new Float64Array(2 * count);
      more.set(entries);
      entries = more;
    }
    entries[count++] = entryOf(Buffer.from(cryptoService.digest(listedForm(line)), 'base64url'));
  }
  return entries.subarray(0, count);
}

/** All of it or nothing: a list that was cut would let passwords through. */
async function replaceFile(file: string, content: Buffer): Promise<void> {
  const unfinished = `${file}.unfinished`;
  try {
    await writeFile(unfinished, content, { flush: true });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function orRefuse<T>(fault: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw new StartError(`${fault} (${errorCode(error) ?? 'unknown'})`, { cause: error });
  });
}
