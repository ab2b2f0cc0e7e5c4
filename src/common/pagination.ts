import { IsOptional, Matches, MaxLength } from 'class-validator';
import { ValidationError } from './app-error.js';
import { ApiPropertyOptional } from './openapi.js';
import { WholeNumber } from './whole-number.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const PRINTABLE = /^[\x20-\x7e]{1,200}$/;

/** The query of every list. */
export class PageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })
  @IsOptional()
  @WholeNumber(1, MAX_LIMIT)
  readonly limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ description: 'the nextCursor of the page before', maxLength: 400 })
  @IsOptional()
  @MaxLength(400)
  @Matches(/^[A-Za-z0-9_-]+$/, { message: 'cursor must be the nextCursor of the page before' })
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/**
 * One page of rows that were selected with `limit + 1`, in the order of `keyOf`. The cursor is the key
 * of the page's last row: it selects inside the caller's own rows only, so it needs no authentication.
 */
export function toPage<Row>(rows: readonly Row[], limit: number, keyOf: (row: Row) => string): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { items, nextCursor: hasMore ? Buffer.from(keyOf(last), 'utf8').toString('base64url') : null };
}

/**
 * The key that a cursor stands for.
 *
 * @throws {ValidationError} when it was not made by `toPage`
 */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url');
  if (key.toString('base64url') !== cursor || !PRINTABLE.test(key.toString('utf8'))) {
    throw notOurs();
  }
  return key.toString('utf8');
}

/**
 * The same for a key that is a whole number.
 *
 * @throws {ValidationError} also for a number that no row has
 */
export function decodeNumberCursor(cursor: string | undefined, max: number): number | undefined {
  const key = decodeCursor(cursor);
  if (key === undefined) return undefined;
  const number = /^[1-9]\d{0,15}$/.test(key) ? Number(key) : Number.NaN;
  if (!(number <= max)) throw notOurs();
  return number;
}

function notOurs(): ValidationError {
  return new ValidationError([{ pointer: '/cursor', detail: 'must be the nextCursor of the page before' }]);
}
