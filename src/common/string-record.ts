import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { type FieldError } from './app-error.js';
import { memberPointer } from './member-pointer.js';
import { asSent, type NamesFaults } from './validation.js';

const MAX_ENTRIES = 100;
const MAX_KEY_LENGTH = 200;

export type StringRecord = Readonly<Record<string, string>>;

/** What a string record may be, for people. */
export const STRING_RECORD_RULE = `must be an object of strings with at most ${MAX_ENTRIES} entries, keys of 1 to ${MAX_KEY_LENGTH} characters`;

/** The schema of a string record in the API's description. */
export const stringRecordSchema = {
  type: 'object',
  additionalProperties: { type: 'string' },
  maxProperties: MAX_ENTRIES,
} as const;

/**
 * An object whose values are all strings, as it was sent: class-transformer would drop keys such as
 * `constructor`.
 */
export function IsStringRecord(): PropertyDecorator {
  const takeAsSent = Transform(({ obj, key }) => asSent((obj as Record<string, unknown>)[key]));
  const context: NamesFaults = { faultsIn: stringRecordFaults };
  const validate = ValidateBy(
    { name: 'isStringRecord', validator: { validate: isStringRecord } },
    // class-validator hands the context on only beside a message.
    { context, message: STRING_RECORD_RULE },
  );
  return (target, property) => {
    takeAsSent(target, property);
    validate(target, property);
  };
}

/** Whether it is an object of strings within the bounds. */
export function isStringRecord(value: unknown): value is StringRecord {
  return stringRecordFaults(value).length === 0;
}

/** What is wrong with the key of an entry, if anything is. */
export function keyFault(key: string): string | undefined {
  const isGood = key.length >= 1 && key.length <= MAX_KEY_LENGTH;
  return isGood ? undefined : `must have a key of 1 to ${MAX_KEY_LENGTH} characters`;
}

/** What is wrong with it, entry by entry and pointed at from its root. */
function stringRecordFaults(value: unknown): FieldError[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [asWhole()];
  const entries = Object.entries(value);
  if (entries.length > MAX_ENTRIES) return [asWhole()];
  return entries.flatMap(([key, text]) => {
    const detail = keyFault(key) ?? (typeof text === 'string' ? undefined : 'must be a string');
    return detail === undefined ? [] : [{ pointer: memberPointer(key), detail }];
  });
}

/** The empty pointer is the whole value (RFC 6901, section 5). */
function asWhole(): FieldError {
  return { pointer: '', detail: STRING_RECORD_RULE };
}

/** A column of JSON that this application wrote, or a plaintext that it encrypted. */
export function parseStringRecord(json: string): StringRecord {
  return JSON.parse(json) as StringRecord;
}
