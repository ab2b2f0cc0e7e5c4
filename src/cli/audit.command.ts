import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import { AuditCheckpoints } from '../audit/audit-checkpoints.js';
import { AuditVerifier } from '../audit/audit-verifier.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuditService } from '../audit/audit.service.js';
import { parseShippedCheckpoint } from '../audit/shipped-checkpoint.js';
import { errorCode } from '../common/error-code.js';
import { StartError } from '../common/start-error.js';
import { parseWholeNumber } from '../common/whole-number.js';
import { withModule } from './application-context.js';
import { withProgress } from './progress-line.js';
import { readValue } from './read-input.js';
import { readHiddenLine } from './read-password.js';

export function auditCommand(): Command {
  return new Command('audit')
    .description('the audit log')
    .addCommand(
      new Command('verify')
        .description('verify that every event is as it was written; the first that is not ends it with 1')
        .option('--checkpoints <file>', 'also compare these checkpoints, which left the machine')
        .action(verify),
    )
    .addCommand(
      new Command('export')
        .description('write events to standard output, one JSON object a line')
        .option('--after <seq>', 'only those after this one', toSeq, 0)
        .action(exportEvents),
    )
    .addCommand(
      new Command('contains')
        .description(
          'show the events about the e-mail address or token on standard input; with none it ends with 1',
        )
        .action(contains),
    );
}

async function verify({ checkpoints: file }: { readonly checkpoints?: string }): Promise<void> {
  await withModule(AuditModule, (context) =>
    withProgress(async (progress) => {
      const count = await context.get(AuditVerifier).verify({
        onProgress: (done, total) => progress.update({ done, total, unit: 'events' }),
      });
      if (file !== undefined) {
        const compared = await compareShipped(context.get(AuditCheckpoints), file);
        progress.print(`compared ${compared} checkpoints`);
      }
      progress.print(`verified ${count} events`);
    }),
  );
}

/** @returns how many */
async function compareShipped(checkpoints: AuditCheckpoints, file: string): Promise<number> {
  let count = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const checkpoint = parseShippedCheckpoint(line);
      if (!checkpoint) continue;
      await checkpoints.verify(checkpoint);
      count++;
    }
  } catch (error) {
    if (errorCode(error)?.startsWith('E') && !errorCode(error)?.startsWith('ERR_')) {
      throw new StartError(`${file} cannot be read`, { cause: error });
    }
    throw error;
  }
  if (count === 0) throw new StartError(`${file} has no checkpoints`);
  return count;
}

async function exportEvents({ after }: { readonly after: number }): Promise<void> {
  await withModule(AuditModule, async (context) => {
    for await (const events of context.get(AuditService).export(after)) {
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      if (!process.stdout.write(lines)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
  });
}

async function contains(): Promise<void> {
  const value = await readValue(() => readHiddenLine('Value: '));
  if (value === '') throw new StartError('no value was given');
  await withModule(AuditModule, async (context) => {
    const events = await context.get(AuditService).findByValue(value);
    for (const event of events) process.stdout.write(`${JSON.stringify(event)}\n`);
    if (events.length === 0) {
      process.stdout.write('no event is about this value\n');
      process.exitCode = 1;
    }
  });
}

function toSeq(value: string): number {
  const seq = parseWholeNumber(value);
  if (Number.isNaN(seq)) throw new InvalidArgumentError('want the number of an event');
  return seq;
}
