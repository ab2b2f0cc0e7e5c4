import { isUtf8 } from 'node:buffer';
import { AppError, ValidationError } from '../common/app-error.js';

/** Deeper than any body we take, and far from the depth at which recursion overflows the stack. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Says nothing of the body, which may be a secret. */
class MalformedJsonError extends AppError {
  constructor(detail?: string) {
    super('ERR_MALFORMED_REQUEST', detail === undefined ? {} : { detail });
  }
}

/**
 * Parses JSON (RFC 8259) of which every reader makes the same: UTF-8 without byte order mark, no key twice
 * in one object, only strings that are Unicode text (RFC 7493). Keys by which code that merges objects
 * could be led to change all of them are refused.
 *
 * @throws {AppError} a 400 that repeats nothing of the text
 */
export function parseStrictJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new MalformedJsonError('the body is not UTF-8');
  const text = bytes.toString('utf8');
  const value = parse(text);
  checkStructure(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new MalformedJsonError();
  }
}

/** @param text - valid JSON */
function checkStructure(text: string): void {
  /** The keys so far of each open object; none for a list. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const next = skipSpace(text, end + 1);
      // In valid JSON a colon follows keys alone.
      if (text[next] === ':') checkKey(stringAt(text, at, end), open.at(-1), text[skipSpace(text, next + 1)]);
      else stringAt(text, at, end);
      at = end;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      open.push(code === OPEN_OBJECT ? new Set() : undefined);
      if (open.length > MAX_DEPTH) throw tooDeep();
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      open.pop();
    }
  }
}

function checkKey(key: string, siblings: Set<string> | undefined, valueStart: string | undefined): void {
  if (siblings?.has(key)) throw new MalformedJsonError('the body has a key twice in one object');
  siblings?.add(key);
  const isPrototype = (key === 'constructor' || key === 'prototype') && valueStart === '{';
  if (key === '__proto__' || isPrototype) throw new MalformedJsonError('the body has a reserved key');
}

/** The string between two quotes, unescaped. */
function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  const value = JSON.parse(text.slice(start, end + 1)) as string;
  if (!value.isWellFormed()) throw new MalformedJsonError('the body has a string that is no Unicode text');
  return value;
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** The empty pointer is the whole document (RFC 6901, section 5). */
function tooDeep(): ValidationError {
  return new ValidationError([{ pointer: '', detail: `must not nest deeper than ${MAX_DEPTH} levels` }]);
}
