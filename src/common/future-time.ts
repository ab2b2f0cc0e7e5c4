import { IsISO8601, Matches } from 'class-validator';
import { ValidationError } from './app-error.js';

/** The last moment that RFC 3339 can write. */
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** A date and time with its zone (RFC 3339). That it lies in the future is for `futureTime` to check. */
export function IsTime(): PropertyDecorator {
  const isIso = IsISO8601({ strict: true, strictSeparator: true });
  const hasForm = Matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/, {
    message: '$property must be a date and time with a time zone',
  });
  return (target, property) => {
    hasForm(target, property);
    isIso(target, property);
  };
}

/**
 * The time until which something lives.
 *
 * @throws {ValidationError} when it is over, or later than `maxMs`
 */
export function futureTime(expiresAt: Date, nowMs: number, maxMs = LAST_MS): number {
  const ms = expiresAt.getTime();
  if (!(ms > nowMs)) throw refusal('must be in the future');
  if (ms > maxMs) throw refusal(`must be at most ${new Date(maxMs).toISOString()}`);
  return ms;
}

function refusal(detail: string): ValidationError {
  return new ValidationError([{ pointer: '/expiresAt', detail }]);
}
