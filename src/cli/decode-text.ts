import { StartError } from '../common/start-error.js';

export const STANDARD_INPUT = 'standard input';

/** @throws {StartError} for what is not UTF-8, where a replacement character would silently be another text */
export function decodeText(bytes: Uint8Array, source: string, { keepsMark = false } = {}): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: keepsMark }).decode(bytes);
  } catch (cause) {
    throw new StartError(`${source} is not UTF-8`, { cause });
  }
}
