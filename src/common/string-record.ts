import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { asSent } from './validation.js';

const MAX_ENTRIES = 100;
const MAX_KEY_LENGTH = 200;

export type StringRecord = Readonly<Record<string, string>>;

/** What a string record may be, for people. */
export const STRING_RECORD_RULE = `must be an object of strings with at most ${MAX_ENTRIES} entries, keys of 1 to ${MAX_KEY_LENGTH} characters`;

/** The schema of a string record in the API's description. */
export const stringRecordSchema = { type: 'object', additionalProperties: { type: 'string' } } as const;

/**
 * An object whose values are all strings, as it was sent: class-transformer would drop keys such as
 * `constructor`.
 */
export function IsStringRecord(): PropertyDecorator {
  const takeAsSent = Transform(({ obj, key }) => asSent((obj as Record<string, unknown>)[key]));
  const validate = ValidateBy({
    name: 'isStringRecord',
    validator: {
      validate: isStringRecord,
      defaultMessage: ({ property } = { property: 'it' } as never) => `${property} ${STRING_RECORD_RULE}`,
    },
  });
  return (target, property) => {
    takeAsSent(target, property);
    validate(target, property);
  };
}

/** Whether it is an object of strings within the bounds. */
export function isStringRecord(value: unknown): value is StringRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_ENTRIES &&
    entries.every(
      ([key, text]) => key.length >= 1 && key.length <= MAX_KEY_LENGTH && typeof text === 'string',
    )
  );
}

/** A column of JSON that this application wrote, or a plaintext that it encrypted. */
export function parseStringRecord(json: string): StringRecord {
  return JSON.parse(json) as StringRecord;
}
