import { type ArgumentMetadata, type PipeTransform, ValidationPipe } from '@nestjs/common';
import { type ValidationError as Fault } from 'class-validator';
import { type FieldError, ValidationError } from './app-error.js';
import { memberPointer } from './member-pointer.js';

/** class-transformer passes these over, so the check for unknown fields would never see them. */
const RESERVED_FIELDS = Object.getOwnPropertyNames(Object.prototype);

const UNKNOWN_FIELD = 'is not a known field';

/** @throws {ValidationError} for every field of a query or body of which a route takes none */
export function refuseFields(input: unknown): void {
  if (typeof input !== 'object' || input === null) return;
  const names = Object.keys(input);
  if (names.length > 0) throw unknownFields(names);
}

/** The context of a rule that knows which members of a refused value are at fault, and points at them from its root. */
export interface NamesFaults {
  readonly faultsIn: (value: unknown) => readonly FieldError[];
}

/** What the caller sent, from the value that a `@Transform` is given. */
export function asSent(value: unknown): unknown {
  return typeof value === 'function' ? (value as () => unknown)() : value;
}

class StrictValidationPipe extends ValidationPipe {
  /** The queries that may be empty. To find that out again costs as much as reading a row. */
  readonly #optional = new WeakSet<object>();

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    if (type === 'query' && metatype && isEmpty(value)) {
      if (this.#optional.has(metatype)) return new metatype() as unknown;
      const query = (await super.transform(value, metadata)) as unknown;
      this.#optional.add(metatype);
      return query;
    }
    // Nest would take `null` for an object without members, so for a patch that changes nothing.
    if (type === 'body' && !isObject(value)) throw refusedBody('must be a JSON object');
    prepare(value);
    return (await super.transform(value, metadata)) as unknown;
  }

  /**
   * Nest would delete reserved keys at every depth: a secret could lose its entry `constructor` without a
   * word. Here they are refused as fields, and kept as keys of a record (`__proto__` never gets past the
   * JSON parser).
   */
  protected override stripProtoKeys(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const found = RESERVED_FIELDS.filter((name) => Object.hasOwn(value, name));
    if (found.length === 0) return;
    throw unknownFields(found);
  }
}

/**
 * Checks a body or a query against its DTO and refuses unknown fields: `@Body(validated) body: SomeBody`. A pipe of the
 * parameter and not a global one: Nest would hand every other parameter of every route through it too, with a
 * promise each. `InputChecks` stops the start when a route lacks it.
 */
export const validated: PipeTransform = new StrictValidationPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  transform: true,
  stopAtFirstError: true,
  // What becomes of the faults holds no offending value: it may be a secret.
  validationError: { target: false, value: true },
  exceptionFactory: (faults) => new ValidationError(faults.flatMap((fault) => fieldErrors(fault, ''))),
});

/**
 * Hides every inner object with a key `constructor` behind a function, which JSON can't hold: class-transformer
 * would take what the key holds for the object's class and call it. The JSON parser bounds the depth.
 */
function prepare(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const members = value as Record<string, unknown>;
  for (const [key, member] of Object.entries(members)) {
    prepare(member);
    if (isObject(member) && Object.hasOwn(member, 'constructor')) members[key] = () => member;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** The empty pointer is the whole document (RFC 6901, section 5). */
function refusedBody(detail: string): ValidationError {
  return new ValidationError([{ pointer: '', detail }]);
}

function fieldErrors(fault: Fault, parent: string): FieldError[] {
  const pointer = `${parent}${memberPointer(fault.property)}`;
  const own = Object.entries(fault.constraints ?? {}).flatMap(([rule, detail]) => {
    if (rule === 'whitelistValidation') return [{ pointer, detail: UNKNOWN_FIELD }];
    const { faultsIn } = (fault.contexts?.[rule] ?? {}) as Partial<NamesFaults>;
    if (!faultsIn) return [{ pointer, detail }];
    return faultsIn(fault.value).map((inner) => ({
      pointer: `${pointer}${inner.pointer}`,
      detail: inner.detail,
    }));
  });
  return [...own, ...(fault.children ?? []).flatMap((child) => fieldErrors(child, pointer))];
}

function unknownFields(names: readonly string[]): ValidationError {
  return new ValidationError(names.map((name) => ({ pointer: memberPointer(name), detail: UNKNOWN_FIELD })));
}
