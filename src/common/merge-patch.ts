import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { AppError, ValidationError } from './app-error.js';
import { memberPointer } from './member-pointer.js';
import { isStringRecord, keyFault, STRING_RECORD_RULE, type StringRecord } from './string-record.js';

export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

/** In a route's configuration: it takes a merge patch and nothing else. */
export const TAKES_MERGE_PATCH = { takesMergePatch: true } as const;

/** Whether the route of a request is so configured. */
export function takesMergePatch({ routeOptions }: FastifyRequest): boolean {
  return 'takesMergePatch' in routeOptions.config;
}

/** A change of a flat object (RFC 7396): a string sets a member, null removes it, the rest stays. */
export type MergePatch = Readonly<Record<string, string | null>>;

export class UnsupportedMediaTypeError extends AppError {
  constructor() {
    super('ERR_UNSUPPORTED_MEDIA_TYPE');
  }
}

/** The body as a merge patch of the member so named, which the body is or holds as its only member. */
export const MergePatchOf = createParamDecorator((member: string, context: ExecutionContext): MergePatch => {
  const { body, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!isMergePatch(headers['content-type'])) throw new UnsupportedMediaTypeError();
  return parseMergePatch(body, member);
});

/** Whether a `Content-Type` names a merge patch, with whatever parameters. */
function isMergePatch(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === MERGE_PATCH_MEDIA_TYPE;
}

/**
 * @param member - no member that is patched has an object for its value, so `{"data": {…}}` can only mean the
 *   patch of the whole representation, and any other object is the patch of `data` itself
 * @throws {ValidationError} naming the members that are neither a string nor null, or whose key no record has
 */
function parseMergePatch(body: unknown, member: string): MergePatch {
  if (!isObject(body)) throw new ValidationError([{ pointer: '', detail: 'must be a JSON object' }]);
  const inner = body[member];
  const isWhole = isObject(inner) && Object.keys(body).length === 1;
  const patch = isWhole ? inner : body;
  const prefix = isWhole ? `/${member}` : '';
  const faults = Object.entries(patch).flatMap(([key, value]) => {
    const detail = entryFault(key, value);
    return detail === undefined ? [] : [{ pointer: `${prefix}${memberPointer(key)}`, detail }];
  });
  if (faults.length > 0) throw new ValidationError(faults);
  return patch as MergePatch;
}

/** A key that no record has is still removed from one: that changes nothing. */
function entryFault(key: string, value: unknown): string | undefined {
  if (value === null) return undefined;
  return typeof value === 'string' ? keyFault(key) : 'must be a string, or null to remove it';
}

/** @throws {ValidationError} when the outcome is no string record any more */
export function applyMergePatch(target: StringRecord, patch: MergePatch): StringRecord {
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  const record: unknown = Object.fromEntries(merged);
  if (isStringRecord(record)) return record;
  throw new ValidationError([{ pointer: '', detail: `the outcome ${STRING_RECORD_RULE}` }]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
