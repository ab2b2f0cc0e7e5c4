import { appendFile } from 'node:fs/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { errorCode } from '../common/error-code.js';
import { SHIPPED_CONTEXT } from '../common/json-logger.js';
import { StartError } from '../common/start-error.js';
import { AppConfig } from '../config/app-config.js';
import { CHAIN_START, type ChainLink } from './audit-chain.js';
import { type AuditCheckpoint, AuditCheckpoints, toJson } from './audit-checkpoints.js';
import { AuditVerifier } from './audit-verifier.js';
import { AuditWriter } from './audit-writer.js';
import { AuditRepository } from './audit.repository.js';
import { AuditBrokenError, AuditUnavailableError } from './errors.js';

const MINUTE_MS = 60_000;

/**
 * Signs the end of the log every so many events and minutes, and sends the checkpoint to where it leaves the
 * machine. It verifies what was appended since the last one first: a log that was changed is signed no more, and
 * the error log says so.
 */
@Injectable()
export class AuditCheckpointer implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Audit');
  readonly #output = new Logger(SHIPPED_CONTEXT);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<AuditCheckpoint> | undefined;
  /** Up to where this instance has found the log as it was written. */
  #verified: ChainLink | undefined;
  #lastSeq = 0;
  /** The event with which the next checkpoint is due. */
  #dueSeq: number;
  #isCatchingUp = false;
  /** More than one when the last ones could not be sent. */
  readonly #unsent: AuditCheckpoint[] = [];

  constructor(
    private readonly checkpoints: AuditCheckpoints,
    private readonly verifier: AuditVerifier,
    private readonly writer: AuditWriter,
    private readonly repository: AuditRepository,
    private readonly config: AppConfig,
  ) {
    this.#dueSeq = config.audit.checkpointEvents;
  }

  /** @throws {StartError} when the file can't be written */
  async onApplicationBootstrap(): Promise<void> {
    const { checkpointMinutes, checkpointFile } = this.config.audit;
    if (checkpointFile !== undefined) await prepare(checkpointFile);
    this.#timer = setInterval(() => void this.#runOnTime(), checkpointMinutes * MINUTE_MS).unref();
    this.writer.onAppended = (seq) => {
      this.#lastSeq = seq;
      if (!this.#isCatchingUp && seq >= this.#dueSeq) void this.#catchUp();
    };
  }

  /** The last events are signed too: no request runs any more. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#runOnTime();
  }

  /**
   * Signs the end of the log, if it isn't signed already; one call at a time.
   *
   * @throws {AuditBrokenError} when the log is not as it was written
   */
  async run(): Promise<AuditCheckpoint> {
    this.#running ??= this.#runOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Until no checkpoint is due: events are appended while one is made. */
  async #catchUp(): Promise<void> {
    this.#isCatchingUp = true;
    do {
      const dueSeq = this.#dueSeq;
      await this.#runOnTime();
      // It failed: again after as many more.
      if (this.#dueSeq === dueSeq) this.#dueSeq = this.#lastSeq + this.config.audit.checkpointEvents;
    } while (this.#lastSeq >= this.#dueSeq);
    this.#isCatchingUp = false;
  }

  async #runOnTime(): Promise<void> {
    try {
      const head = await this.repository.findHead();
      if (head?.seq !== 0) await this.run();
    } catch (error) {
      const message =
        error instanceof AuditBrokenError ? 'the audit log was changed' : 'the audit log is not signed';
      this.#logger.error({ err: error }, message);
    }
  }

  async #runOnce(): Promise<AuditCheckpoint> {
    // Most of it before the end is locked: meanwhile nobody could append.
    const { seq = 0 } = (await this.repository.findHead()) ?? {};
    await this.#verifyUpTo(seq);
    const signed = await this.checkpoints.sign(async (end) => {
      const last = await this.#verifyUpTo(end.seq);
      if (Buffer.compare(last.mac, end.mac) !== 0) throw new AuditBrokenError(end.seq, 'was changed');
    });
    this.#dueSeq = signed.checkpoint.seq + this.config.audit.checkpointEvents;
    if (signed.isNew) this.#unsent.push(signed.checkpoint);
    await this.#send();
    return signed.checkpoint;
  }

  async #verifyUpTo(seq: number): Promise<ChainLink> {
    const start = this.#verified ?? (await this.#start());
    if (seq < start.seq) throw new AuditBrokenError(seq + 1, 'is missing');
    this.#verified = await this.verifier.verifyLinks(start, seq);
    return this.#verified;
  }

  /** The last checkpoint speaks for what was before it; a full verification looks at all. */
  async #start(): Promise<ChainLink> {
    const latest = await this.checkpoints.findLatest();
    if (latest) await this.checkpoints.verify({ ...latest, at: latest.at.getTime() });
    return latest ?? CHAIN_START;
  }

  async #send(): Promise<void> {
    const { checkpointFile } = this.config.audit;
    for (let checkpoint = this.#unsent[0]; checkpoint; checkpoint = this.#unsent[0]) {
      const fields = toJson(checkpoint);
      if (checkpointFile === undefined) this.#output.log(fields, 'audit checkpoint');
      else await append(checkpointFile, `${JSON.stringify(fields)}\n`);
      this.#unsent.shift();
    }
  }
}

async function prepare(file: string): Promise<void> {
  await appendFile(file, '', { mode: 0o600 }).catch((error: unknown) => {
    throw new StartError(`AUDIT_CHECKPOINT_FILE ${file} can't be written (${errorCode(error)})`);
  });
}

async function append(file: string, line: string): Promise<void> {
  await appendFile(file, line, { mode: 0o600, flush: true }).catch((error: unknown) => {
    throw new AuditUnavailableError(error);
  });
}
