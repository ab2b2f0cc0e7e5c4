const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

const padded = (length: number, digits: number): readonly string[] =>
  Array.from({ length }, (_, number) => String(number).padStart(digits, '0'));
const TWO_DIGITS = padded(60, 2);
const THREE_DIGITS = padded(SECOND_MS, 3);

/** The day that was last asked for, and its date with the `T` behind it. */
let lastDay = Number.NaN;
let lastDate = '';

/**
 * A time as the API and the log write it, `2026-01-31T23:59:59.999Z`: what `toISOString` gives, without its
 * microsecond. A date is formatted once for all times of one day that follow each other.
 *
 * @throws RangeError for an invalid date
 */
export function isoTime(time: Date): string {
  const ms = time.getTime();
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    const text = time.toISOString();
    lastDate = text.slice(0, text.indexOf('T') + 1);
    lastDay = day;
  }
  const ofDay = ms - day * DAY_MS;
  const hour = TWO_DIGITS[Math.floor(ofDay / HOUR_MS)];
  const minute = TWO_DIGITS[Math.floor(ofDay / MINUTE_MS) % 60];
  const second = TWO_DIGITS[Math.floor(ofDay / SECOND_MS) % 60];
  return `${lastDate}${hour}:${minute}:${second}.${THREE_DIGITS[ofDay % SECOND_MS]}Z`;
}
