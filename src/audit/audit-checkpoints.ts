import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { isoTime } from '../common/iso-time.js';
import { CryptoService } from '../crypto/crypto.service.js';
import { InvalidSignatureError, signatureKeyIdOf } from '../crypto/signature.js';
import { Database } from '../database/database.js';
import { CHAIN_START, type ChainLink, encodeCheckpoint, MAC_BYTES } from './audit-chain.js';
import { type AuditCheckpointRow, AuditCheckpointsRepository } from './audit-checkpoints.repository.js';
import { AuditWriter } from './audit-writer.js';
import { AuditRepository } from './audit.repository.js';
import { AuditBrokenError } from './errors.js';

const PURPOSE = 'audit-signing';
const PAGE = 1_000;

/** A signed statement that the log had this event at its end at that time. */
export interface AuditCheckpoint {
  readonly seq: number;
  readonly at: Date;
  /** Of the event. */
  readonly mac: Buffer;
  readonly signature: Buffer;
  /** Of the key that signed, 16 hexadecimal characters. */
  readonly keyId: string;
}

/** Signed ends of the log, which go to where the database's owner can't reach them. */
@Injectable()
export class AuditCheckpoints {
  constructor(
    private readonly repository: AuditCheckpointsRepository,
    private readonly events: AuditRepository,
    private readonly writer: AuditWriter,
    private readonly crypto: CryptoService,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Signs the end of the log, or gives the checkpoint that is there already.
   *
   * @param verify - throws when the log is not as it was written up to this end
   * @throws {AuditBrokenError} when somebody else moved the end
   */
  async sign(
    verify: (end: ChainLink) => Promise<void>,
  ): Promise<{ readonly checkpoint: AuditCheckpoint; readonly isNew: boolean }> {
    return this.database.transaction(async () => {
      const { seq, mac } = await this.writer.lockHead();
      await verify({ seq, mac });
      const existing = await this.repository.find(seq);
      if (existing) return { checkpoint: toCheckpoint(existing), isNew: false };
      const unsigned = { seq, at: this.clock.nowMs(), mac };
      const row = { ...unsigned, signature: await this.crypto.sign(encodeCheckpoint(unsigned), PURPOSE) };
      await this.repository.insert(row);
      return { checkpoint: toCheckpoint(row), isNew: true };
    });
  }

  /** The latest one in the table, unverified. */
  async findLatest(): Promise<AuditCheckpoint | undefined> {
    const row = await this.repository.findLatest();
    return row && toCheckpoint(row);
  }

  /** @throws {AuditBrokenError} when a checkpoint in the table is not genuine or the log is not as it says */
  async verifyStored(): Promise<void> {
    let afterSeq: number | undefined;
    for (;;) {
      const rows = await this.repository.page(afterSeq, PAGE);
      for (const row of rows) await this.verify(row);
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      afterSeq = last.seq;
    }
  }

  /**
   * @throws {AuditBrokenError} when it is not genuine, or the log has no such event: then the log was cut before
   *   it, or written anew
   */
  async verify(checkpoint: Pick<AuditCheckpointRow, 'seq' | 'at' | 'mac' | 'signature'>): Promise<void> {
    const { seq, mac, signature } = checkpoint;
    try {
      if (mac.length !== MAC_BYTES) throw new InvalidSignatureError();
      await this.crypto.verify(encodeCheckpoint(checkpoint), signature, PURPOSE);
    } catch (error) {
      if (!(error instanceof InvalidSignatureError)) throw error;
      throw new AuditBrokenError(seq, 'has a checkpoint that was changed');
    }
    const found = seq === 0 ? CHAIN_START.mac : await this.events.findMac(seq);
    if (found && Buffer.compare(found, mac) === 0) return;
    const lastSeq = (await this.events.findHead())?.seq ?? 0;
    if (seq > lastSeq) throw new AuditBrokenError(lastSeq + 1, `is missing: ${seq} events were signed`);
    throw new AuditBrokenError(seq, 'is not the one that was signed');
  }
}

/** As it leaves the machine, and as the API gives it. */
export function toJson({ seq, at, mac, signature, keyId }: AuditCheckpoint) {
  const encoded = { mac: mac.toString('base64url'), signature: signature.toString('base64url') };
  return { seq, at: isoTime(at), keyId, ...encoded };
}

function toCheckpoint({ seq, at, mac, signature }: AuditCheckpointRow): AuditCheckpoint {
  return {
    seq,
    at: new Date(at),
    mac: Buffer.from(mac),
    signature: Buffer.from(signature),
    keyId: signatureKeyIdOf(signature),
  };
}
