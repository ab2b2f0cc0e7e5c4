import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { asSent } from '../common/validation.js';

const MAX_ENTRIES = 100;
const MAX_KEY_LENGTH = 200;

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
      defaultMessage: ({ property } = { property: 'it' } as never) =>
        `${property} must be an object of strings with at most ${MAX_ENTRIES} entries, keys of 1 to ${MAX_KEY_LENGTH} characters`,
    },
  });
  return (target, property) => {
    takeAsSent(target, property);
    validate(target, property);
  };
}

function isStringRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_ENTRIES &&
    entries.every(
      ([key, text]) => key.length >= 1 && key.length <= MAX_KEY_LENGTH && typeof text === 'string',
    )
  );
}
