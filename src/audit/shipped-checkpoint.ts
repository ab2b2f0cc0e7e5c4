import { membersOf, parseJson } from '../common/json-members.js';

/** A checkpoint that came back from outside, as the log or `AUDIT_CHECKPOINT_FILE` has it. */
export interface ShippedCheckpoint {
  readonly seq: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly mac: Buffer;
  readonly signature: Buffer;
}

/** The checkpoint in a line, or `undefined` for any other line. Whether it is genuine is not said. */
export function parseShippedCheckpoint(line: string): ShippedCheckpoint | undefined {
  const { seq, at, mac, signature } = membersOf(parseJson(line));
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || typeof at !== 'string') return undefined;
  if (typeof mac !== 'string' || typeof signature !== 'string') return undefined;
  const atMs = Date.parse(at);
  if (Number.isNaN(atMs)) return undefined;
  return {
    seq,
    at: atMs,
    mac: Buffer.from(mac, 'base64url'),
    signature: Buffer.from(signature, 'base64url'),
  };
}
