import { appendFile } from 'node:fs/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { CHAIN_START, type ChainLink } from './audit-chain.js';
import { type AuditCheckpoint, AuditCheckpoints, toJson } from './audit-checkpoints.js';
import { AuditVerifier } from './audit-verifier.js';
import { AuditWriter } from './audit-writer.js';
import { AuditRepository } from './audit.repository.js';
import { AuditBrokenError } from './errors.js';

const MINUTE_MS = 60_000;

/**
 * Signs the end of the log every so many events and minutes, and sends the checkpoint to where it leaves the
 * machine. It verifies what was appended since the last one first: a log that was changed is signed no more, and
 * the error log says so.
 */
@Injectable()
export class AuditCheckpointer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Audit');
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<AuditCheckpoint> | undefined;
  /** Up to where this instance has found the log as it was written. */
  #verified: ChainLink | undefined;
  #signedSeq = 0;
  /** More than one when the last ones could not be sent. */
  readonly #unsent: AuditCheckpoint[] = [];

  constructor(
    private readonly checkpoints: AuditCheckpoints,
    private readonly verifier: AuditVerifier,
    private readonly writer: AuditWriter,
    private readonly repository: AuditRepository,
    private readonly config: AppConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { checkpointEvents, checkpointMinutes } = this.config.audit;
    this.#timer = setInterval(() => void this.#runOnTime(), checkpointMinutes * MINUTE_MS).unref();
    this.writer.onAppend = (seq) => {
      if (seq - this.#signedSeq < checkpointEvents) return;
      this.#signedSeq = seq;
      setImmediate(() => void this.#runOnTime());
    };
  }

  /** The last events are signed too. */
  async beforeApplicationShutdown(): Promise<void> {
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
    this.#signedSeq = signed.checkpoint.seq;
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
      if (checkpointFile === undefined) this.#logger.log(fields, 'audit checkpoint');
      else await appendFile(checkpointFile, `${JSON.stringify(fields)}\n`, { mode: 0o600, flush: true });
      this.#unsent.shift();
    }
  }
}
