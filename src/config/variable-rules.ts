import { Transform } from 'class-transformer';
import { IsIn, ValidateBy } from 'class-validator';
import { isIP } from 'node:net';
import { isPlaceholderKey } from '../common/placeholder-key.js';

/** A whole number; anything else is refused, also what JavaScript would take for one. */
export function Bounded(min: number, max: number, unit = ''): PropertyDecorator {
  return compose(
    Transform(({ value }) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN)),
    ValidateBy({
      name: 'bounded',
      validator: {
        validate: (value: number) => value >= min && value <= max,
        defaultMessage: () => `must be a whole number (${unit}${min} to ${max})`,
      },
    }),
  );
}

export function OneOf(...values: string[]): PropertyDecorator {
  return IsIn(values, { message: `must be one of ${values.join(', ')}` });
}

/** Where a service is: a path, or a URL with a host and a port that there can be. It may hold a password. */
export function ServiceUrl(form: RegExp, what: string): PropertyDecorator {
  return ValidateBy({
    name: 'serviceUrl',
    validator: {
      validate: (value: string) => form.test(value) && isPathOrUrl(value),
      defaultMessage: (given) =>
        `must be ${what}${form.test(String(given?.value)) ? ', with a valid host and port, the password percent-encoded' : ''}`,
    },
  });
}

/**
 * A root key in base64url: 32 bytes are 43 characters, of which the last has only four bits to choose. Or
 * `<provider>:<reference>`, for one that is kept elsewhere.
 */
export function RootKey(): PropertyDecorator {
  const bytes = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
  const reference = /^(?!env:)[a-z][a-z0-9-]*:\S+$/;
  return ValidateBy({
    name: 'rootKey',
    validator: {
      validate: (value: string) =>
        bytes.test(value) ? !isPlaceholderKey(Buffer.from(value, 'base64url')) : reference.test(value),
      defaultMessage: (given) =>
        bytes.test(String(given?.value))
          ? 'must be random, not a placeholder'
          : 'must be 32 bytes in base64url (43 characters, no padding), or <provider>:<reference>',
    },
  });
}

export function ToBoolean(): PropertyDecorator {
  const booleans: Record<string, boolean> = { true: true, false: false };
  return compose(
    Transform(({ value }) => booleans[String(value)] ?? value),
    IsIn([true, false], { message: 'must be true or false' }),
  );
}

/** Values apart by commas. Spaces around them and upper case don't count. */
export function ListOf(isAccepted: (value: string) => boolean, what: string): PropertyDecorator {
  return compose(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.split(',').map((entry) => entry.trim().toLowerCase()) : value,
    ),
    ValidateBy({
      name: 'listOf',
      validator: {
        validate: (values: string[]) => values.every((value) => isAccepted(value)),
        defaultMessage: () => `must be ${what}, apart by commas`,
      },
    }),
  );
}

/** PostgreSQL's URLs may leave the host out after a user: the driver takes it from a parameter then. */
function isPathOrUrl(text: string): boolean {
  const url = text.startsWith('postgres') ? text.replace('@/', '@localhost/') : text;
  return text.startsWith('sqlite:') || URL.canParse(url);
}

/** A host name or an IP address, as a URL has it and without a port. */
export function isUrlHost(text: string): boolean {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/.test(text);
}

/** An IP address, or a network as address/prefix length. One of everybody is refused. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/', 2);
  const bits = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) === 0 || address.includes('%')) return false;
  return prefix === undefined ? !text.includes('/') : /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits;
}

/** Scheme, host and port as a browser sends them, and nothing else. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.parse(text)?.origin === text;
}

function compose(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, property) => {
    for (const decorate of decorators) decorate(target, property);
  };
}
