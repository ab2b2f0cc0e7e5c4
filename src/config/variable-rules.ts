import { Transform } from 'class-transformer';
import { IsIn, ValidateBy } from 'class-validator';
import { isIP } from 'node:net';
import { isPlaceholderKey } from '../common/placeholder-key.js';
import { parsePostgresUrl } from '../common/postgres-url.js';
import { SecretText } from '../common/secret-text.js';

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

/** A value that nothing prints, a fault in it included. */
export function Secret(): PropertyDecorator {
  return Transform(({ value }) => (typeof value === 'string' ? new SecretText(value) : value));
}

/** Where a service is: a path, or a URL with a host and a port that there can be. It may hold a password. */
export function ServiceUrl(form: RegExp, what: string): PropertyDecorator {
  return SecretRule('serviceUrl', (value) => {
    if (!form.test(value)) return `must be ${what}`;
    return isPathOrUrl(value)
      ? undefined
      : `must be ${what}, with a valid host and port, the password percent-encoded`;
  });
}

/**
 * A root key in base64url: 32 bytes are 43 characters, of which the last has only four bits to choose. Or
 * `<provider>:<reference>`, for one that is kept elsewhere.
 */
export function RootKey(): PropertyDecorator {
  const bytes = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
  const reference = /^(?!env:)[a-z][a-z0-9-]*:\S+$/;
  return SecretRule('rootKey', (value) => {
    if (!bytes.test(value)) {
      return reference.test(value)
        ? undefined
        : 'must be 32 bytes in base64url (43 characters, no padding), or <provider>:<reference>';
    }
    return isPlaceholderKey(Buffer.from(value, 'base64url'))
      ? 'must be random, not a placeholder'
      : undefined;
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
  if (text.startsWith('sqlite:')) return true;
  const url = text.startsWith('postgres') ? parsePostgresUrl(text) : URL.parse(text);
  return url !== null && isDecodable(url.username + url.password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
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

/** @param faultOf what would be accepted, where a value isn't */
function SecretRule(name: string, faultOf: (value: string) => string | undefined): PropertyDecorator {
  const fault = (value: unknown) => faultOf(value instanceof SecretText ? value.reveal() : '');
  return compose(
    Secret(),
    ValidateBy({
      name,
      validator: {
        validate: (value) => fault(value) === undefined,
        defaultMessage: (given) => fault(given?.value) ?? '',
      },
    }),
  );
}

function compose(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, property) => {
    for (const decorate of decorators) decorate(target, property);
  };
}
