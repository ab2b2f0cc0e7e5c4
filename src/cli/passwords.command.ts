import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { entryOf, packEntries } from '../users/password-list-format.js';
import { listedForm } from '../users/password-shape.js';
import { UsersModule } from '../users/users.module.js';
import { withModule } from './application-context.js';

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
    const service = context.get(CryptoService, { strict: false });
    const entries: number[] = [];
    try {
      for await (const line of createInterface({ input: createReadStream(text, 'utf8') })) {
        entries.push(entryOf(Buffer.from(service.digest(listedForm(line)), 'base64url')));
      }
      await writeFile(list, packEntries(entries));
    } catch (error) {
      throw new StartError(`${text} cannot be made a list (${errorCode(error) ?? 'unknown'})`, {
        cause: error,
      });
    }
    process.stdout.write(`packed ${entries.length} passwords\n`);
  });
}
