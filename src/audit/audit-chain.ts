import { foldCase } from '../crypto/fold-case.js';

/*
 * What the audit key authenticates. Integers are big-endian; `text` is a u32 length in bytes and UTF-8, or the
 * length 0xffffffff alone for null; `bytes` likewise.
 *
 *   event       "audit-event/v1" 0x00 ‖ MAC of the event before, 32 (zeros before the first) ‖ u64 seq ‖
 *               u64 at, Unix milliseconds ‖ text key_id ‖ text actor ‖ text owner_id ‖ text action ‖
 *               text target ‖ text outcome ‖ text ip ‖ text request_id ‖ bytes value_digest
 *   head        "audit-head/v1" 0x00 ‖ u64 seq ‖ MAC of that event, 32 ‖ text key_id
 *   checkpoint  "audit-checkpoint/v1" 0x00 ‖ u64 seq ‖ u64 at, Unix milliseconds ‖ MAC of that event, 32
 *   value       "audit-value/v1" 0x00 ‖ UTF-8 of the value, folded as `fold-case.ts` does; the first 16 bytes are kept
 *
 * An event and the head are authenticated with HMAC-SHA-256 under the key that `key_id` names, a checkpoint is
 * signed. Every field has one encoding and no two fields share bytes, so two different events differ here too.
 */
const EVENT_LABEL = Buffer.from('audit-event/v1\0', 'latin1');
const HEAD_LABEL = Buffer.from('audit-head/v1\0', 'latin1');
const CHECKPOINT_LABEL = Buffer.from('audit-checkpoint/v1\0', 'latin1');
const VALUE_LABEL = Buffer.from('audit-value/v1\0', 'latin1');
const NULL_LENGTH = 0xffffffff;
const LENGTH_BYTES = 4;
export const MAC_BYTES = 32;
/** UTF-8 of one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;
const SCRATCH_BYTES = 8_192;
const NO_BYTES = Buffer.alloc(0);

/** Everything here is synchronous, so one piece of memory serves all. */
const scratch = Buffer.alloc(SCRATCH_BYTES);

/** An event and its MAC, from which on the chain goes. */
export interface ChainLink {
  readonly seq: number;
  readonly mac: Uint8Array;
}

/** What the first event follows. */
export const CHAIN_START: ChainLink = { seq: 0, mac: Buffer.alloc(MAC_BYTES) };

/** An event as it is stored. */
export interface ChainedEvent {
  readonly seq: number;
  readonly at: number;
  readonly key_id: string;
  readonly actor: string | null;
  readonly owner_id: string | null;
  readonly action: string;
  readonly target: string | null;
  readonly outcome: string;
  readonly ip: string | null;
  readonly request_id: string | null;
  readonly value_digest: Uint8Array | null;
}

/** The bytes are good until the next call. */
export function encodeEvent(previousMac: Uint8Array, event: ChainedEvent): Buffer {
  const { key_id, actor, owner_id, action, target, outcome, ip, request_id, value_digest } = event;
  const texts = [key_id, actor, owner_id, action, target, outcome, ip, request_id];
  let bound = EVENT_LABEL.length + previousMac.length + 16 + LENGTH_BYTES + (value_digest?.length ?? 0);
  for (const text of texts) bound += LENGTH_BYTES + (text?.length ?? 0) * MAX_BYTES_PER_UNIT;
  const output = bound <= SCRATCH_BYTES ? scratch : Buffer.alloc(bound);
  let offset = put(output, EVENT_LABEL, 0);
  offset = put(output, previousMac, offset);
  offset = putInteger(output, event.seq, offset);
  offset = putInteger(output, event.at, offset);
  for (const text of texts) offset = putText(output, text, offset);
  output.writeUInt32BE(value_digest?.length ?? NULL_LENGTH, offset);
  offset = put(output, value_digest ?? NO_BYTES, offset + LENGTH_BYTES);
  return output.subarray(0, offset);
}

/** The bytes are good until the next call. */
export function encodeHead({ seq, mac, key_id }: { seq: number; mac: Uint8Array; key_id: string }): Buffer {
  let offset = put(scratch, HEAD_LABEL, 0);
  offset = putInteger(scratch, seq, offset);
  offset = put(scratch, mac, offset);
  return scratch.subarray(0, putText(scratch, key_id, offset));
}

export function encodeCheckpoint({ seq, at, mac }: { seq: number; at: number; mac: Uint8Array }): Buffer {
  const output = Buffer.alloc(CHECKPOINT_LABEL.length + 16 + mac.length);
  let offset = put(output, CHECKPOINT_LABEL, 0);
  offset = putInteger(output, seq, offset);
  offset = putInteger(output, at, offset);
  put(output, mac, offset);
  return output;
}

/** So that a value is found however its letters were written. */
export function encodeValue(value: string): Buffer {
  return Buffer.concat([VALUE_LABEL, Buffer.from(foldCase(value), 'utf8')]);
}

function put(output: Buffer, bytes: Uint8Array, offset: number): number {
  output.set(bytes, offset);
  return offset + bytes.length;
}

/** Negative too: what stands in a table may be anything. */
function putInteger(output: Buffer, value: number, offset: number): number {
  return output.writeBigInt64BE(BigInt(value), offset);
}

function putText(output: Buffer, text: string | null, offset: number): number {
  const start = offset + LENGTH_BYTES;
  const length = text === null ? 0 : output.write(text, start, 'utf8');
  output.writeUInt32BE(text === null ? NULL_LENGTH : length, offset);
  return start + length;
}
