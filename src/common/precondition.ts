import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { AppError } from './app-error.js';

const ENTITY_TAG = /^"(0|[1-9]\d{0,9})"$/;

/** What the caller says of the version they know (RFC 9110, section 13.1). */
export interface Precondition {
  /** The object must exist (`any`) or be at one of these versions. */
  readonly ifMatch?: 'any' | readonly number[];
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
export function entityTag(version: number): string {
  return `"${version}"`;
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

/** Whether the condition holds for an object at `version`, or for a missing one (`undefined`). */
export function holds(precondition: Precondition, version: number | undefined): boolean {
  const { ifMatch, ifNoneMatch } = precondition;
  if (ifNoneMatch && version !== undefined) return false;
  if (ifMatch === undefined) return true;
  if (version === undefined) return false;
  return ifMatch === 'any' || ifMatch.includes(version);
}

function parseIfMatch(header: string): 'any' | readonly number[] {
  if (header.trim() === '*') return 'any';
  return header
    .split(',')
    .map((tag) => ENTITY_TAG.exec(tag.trim())?.[1])
    .filter((version) => version !== undefined)
    .map(Number);
}
