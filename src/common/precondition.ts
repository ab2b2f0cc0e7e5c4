import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { AppError } from './app-error.js';

/** Of the columns that hold versions: no object is at a higher one. */
const MAX_VERSION = 2 ** 31 - 1;
const ENTITY_TAG = /^"(0|[1-9]\d{0,9})(?:\.([1-9]\d{0,9}))?"$/;

/** What a strong entity tag names: `"7"`, or `"7.2"` where something beside version 7 was changed twice. */
interface Revision {
  readonly version: number;
  readonly revision: number;
}

/** What the caller says of the version they know (RFC 9110, section 13.1). */
export interface Precondition {
  /** The object must exist (`any`) or be at one of these. */
  readonly ifMatch?: 'any' | readonly Revision[];
  /** The object must not exist. */
  readonly ifNoneMatch?: 'any';
}

export class PreconditionFailedError extends AppError {
  constructor() {
    super('ERR_PRECONDITION_FAILED');
  }
}

export class PreconditionRequiredError extends AppError {
  constructor() {
    super('ERR_PRECONDITION_REQUIRED');
  }
}

/** The strong entity tag of a version. */
export function entityTag(version: number, revision = 0): string {
  return revision === 0 ? `"${version}"` : `"${version}.${revision}"`;
}

/**
 * Reads `If-Match` and `If-None-Match`. A tag of another form (weak, unquoted) matches no version.
 *
 * @throws {PreconditionFailedError} for an `If-None-Match` other than `*`: no write route needs it, and
 *   ignoring a condition would break the caller's promise to itself
 */
export function parsePrecondition(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): Precondition {
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') throw new PreconditionFailedError();
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: parseIfMatch(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: 'any' as const }),
  };
}

/** What the request's header fields demand. For controllers. */
export const RequestPrecondition = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Precondition => {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    return parsePrecondition(headers['if-match'], headers['if-none-match']);
  },
);

/**
 * The same of a read, for which only `If-Match` counts: whatever the caller has, no answer may be stored anyway. No
 * parameter of its own, which would cost a read 1.3 µs.
 */
export function readPrecondition({ headers }: FastifyRequest): Precondition {
  return parsePrecondition(headers['if-match'], undefined);
}

/** @throws {PreconditionFailedError} when the object that was found is not as the caller demands */
export function requireVersion(precondition: Precondition, version: number, revision = 0): void {
  if (!holds(precondition, version, revision)) throw new PreconditionFailedError();
}

/**
 * Whether the condition holds for an object at `version`, or for a missing one (`undefined`).
 *
 * @param revision - `any` where only the version counts
 */
export function holds(
  precondition: Precondition,
  version: number | undefined,
  revision: number | 'any' = 0,
): boolean {
  const { ifMatch, ifNoneMatch } = precondition;
  if (ifNoneMatch && version !== undefined) return false;
  if (ifMatch === undefined) return true;
  if (version === undefined) return false;
  return (
    ifMatch === 'any' ||
    ifMatch.some((tag) => tag.version === version && (revision === 'any' || tag.revision === revision))
  );
}

/** The versions that a condition lets through, or `undefined` for all. For objects without revisions. */
export function versionsIn({ ifMatch }: Precondition): readonly number[] | undefined {
  if (ifMatch === undefined || ifMatch === 'any') return undefined;
  return ifMatch
    .filter(({ version, revision }) => version <= MAX_VERSION && revision === 0)
    .map(({ version }) => version);
}

function parseIfMatch(header: string): 'any' | readonly Revision[] {
  if (header.trim() === '*') return 'any';
  return header.split(',').flatMap((tag) => {
    const [, version, revision = '0'] = ENTITY_TAG.exec(tag.trim()) ?? [];
    return version === undefined ? [] : [{ version: Number(version), revision: Number(revision) }];
  });
}
