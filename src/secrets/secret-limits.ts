import { type StringRecord } from '../common/string-record.js';
import { SecretTooLargeError } from './errors.js';

/** Versions of one secret that keep their data: writing one more destroys the oldest. */
export const MAX_KEPT_VERSIONS = 100;

/** As large as a body, so whatever can be written at once can be patched together too, and no more. */
const MAX_RECORD_BYTES = 64 * 1024;

/** @throws {SecretTooLargeError} */
export function serialise(record: StringRecord): string {
  const json = JSON.stringify(record);
  if (Buffer.byteLength(json) > MAX_RECORD_BYTES) throw new SecretTooLargeError();
  return json;
}
