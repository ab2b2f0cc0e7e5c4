import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type MacKey } from '../crypto/mac-key.js';
import { CHAIN_START, type ChainLink, encodeEvent } from './audit-chain.js';
import { AuditCheckpoints } from './audit-checkpoints.js';
import { AuditKeys } from './audit-keys.js';
import { AuditWriter } from './audit-writer.js';
import { type AuditHead, AuditRepository } from './audit.repository.js';
import { AuditBrokenError } from './errors.js';

const PAGE = 250;

interface VerifyOptions {
  /** Called some times a second with how many events are verified and how many there are. */
  readonly onProgress?: (verified: number, total: number) => void;
}

/** Whether the log is as it was written. It takes as much memory for a thousand events as for a million. */
@Injectable()
export class AuditVerifier {
  constructor(
    private readonly repository: AuditRepository,
    private readonly checkpoints: AuditCheckpoints,
    private readonly writer: AuditWriter,
    private readonly keys: AuditKeys,
  ) {}

  /**
   * Verifies every event and checkpoint that is there when it begins.
   *
   * @returns how many events
   * @throws {AuditBrokenError} with the first event that is changed, missing, added or out of its place
   */
  async verify({ onProgress }: VerifyOptions = {}): Promise<number> {
    const head = await this.repository.findHead();
    const total = head?.seq ?? 0;
    const added = await this.repository.findBelowFirst();
    if (added !== undefined) throw new AuditBrokenError(added, 'was added');
    const last = await this.verifyLinks(CHAIN_START, total, (verified) => onProgress?.(verified, total));
    await this.#verifyEnd(head, last);
    await this.checkpoints.verifyStored();
    return total;
  }

  /**
   * Verifies the events after `start` and up to `lastSeq`.
   *
   * @returns the last of them
   * @throws {AuditBrokenError}
   */
  async verifyLinks(
    start: ChainLink,
    lastSeq: number,
    onProgress?: (verified: number) => void,
  ): Promise<ChainLink> {
    const keys = new Map<string, MacKey | undefined>();
    let { seq, mac } = start;
    for (;;) {
      const rows = await this.repository.page(seq, lastSeq, PAGE);
      for (const row of rows) {
        seq++;
        if (row.seq !== seq) throw new AuditBrokenError(seq, 'is missing');
        if (!keys.has(row.key_id)) keys.set(row.key_id, await this.keys.find(row.key_id));
        if (!keys.get(row.key_id)?.verify(encodeEvent(mac, row), row.mac)) {
          throw new AuditBrokenError(seq, 'was changed');
        }
        ({ mac } = row);
      }
      if (rows.length < PAGE) break;
      onProgress?.(seq);
      await setImmediate();
    }
    if (seq < lastSeq) throw new AuditBrokenError(seq + 1, 'is missing');
    return { seq, mac };
  }

  /** The end is the one that the server wrote, and nothing comes after it but what the server appends meanwhile. */
  async #verifyEnd(head: AuditHead | undefined, last: ChainLink): Promise<void> {
    const isAtEnd = head !== undefined && Buffer.compare(head.mac, last.mac) === 0;
    if (!isAtEnd || !(await this.writer.isGenuine(head))) {
      throw new AuditBrokenError(last.seq + 1, 'may be missing: the end of the log was changed');
    }
    if (!(await this.repository.hasAbove(last.seq))) return;
    const now = await this.repository.findHead();
    if (!now || now.seq <= last.seq || !(await this.writer.isGenuine(now))) {
      throw new AuditBrokenError(last.seq + 1, 'was added');
    }
  }
}
