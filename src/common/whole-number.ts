import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

const DIGITS = /^(0|[1-9]\d{0,9})$/;

/** The number that decimal digits stand for; NaN for every other spelling, such as `1e3`, `0x10` or `+1`. */
export function parseWholeNumber(value: unknown): number {
  return typeof value === 'string' && DIGITS.test(value) ? Number(value) : Number.NaN;
}

/** A whole number in a query. */
export function WholeNumber(min: number, max: number): PropertyDecorator {
  const validate = ValidateBy({
    name: 'wholeNumber',
    validator: {
      validate: (value: number) => value >= min && value <= max,
      defaultMessage: () => `must be a whole number from ${min} to ${max}`,
    },
  });
  const transform = Transform(({ value }) => parseWholeNumber(value));
  return (target, property) => {
    transform(target, property);
    validate(target, property);
  };
}
