import { describe, expect, it } from '@jest/globals';
import { entityTag, holds, parsePrecondition, PreconditionFailedError, versionsIn } from './precondition.js';

/** Whether the header fields let a request through to an object at this version, or to a missing one. */
function lets(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
  version: number | undefined,
): boolean {
  return holds(parsePrecondition(ifMatch, ifNoneMatch), version);
}

describe('a precondition', () => {
  it('holds for everything when there is none', () => {
    expect(lets(undefined, undefined, 7)).toBe(true);
    expect(lets(undefined, undefined, undefined)).toBe(true);
  });

  it('takes the tag that an answer carried', () => {
    expect(entityTag(7)).toBe('"7"');
    expect(lets(entityTag(7), undefined, 7)).toBe(true);
    expect(lets(entityTag(7), undefined, 8)).toBe(false);
    expect(lets(entityTag(7), undefined, undefined)).toBe(false);
  });

  it('takes any tag of a list, in any spacing', () => {
    for (const header of ['"1","7"', ' "7" , "9"', '"a", "7"']) expect(lets(header, undefined, 7)).toBe(true);
    expect(lets('"1", "2"', undefined, 7)).toBe(false);
  });

  it('takes * for whatever exists', () => {
    expect(lets('*', undefined, 1)).toBe(true);
    expect(lets(' * ', undefined, 1)).toBe(true);
    expect(lets('*', undefined, undefined)).toBe(false);
  });

  it.each([
    '7',
    'W/"7"',
    '"07"',
    '"7',
    '7"',
    '"+7"',
    '"7.0"',
    '"7.1"',
    '"7."',
    "'7'",
    '""',
    '',
    '"99999999999"',
    '"7" "8"',
  ])('takes %j for no version', (header) => {
    expect(lets(header, undefined, 7)).toBe(false);
  });

  it('tells the revisions of a version apart where they count', () => {
    expect(entityTag(7, 0)).toBe('"7"');
    expect(entityTag(7, 2)).toBe('"7.2"');
    const condition = parsePrecondition('"7.2"', undefined);
    expect(holds(condition, 7, 2)).toBe(true);
    for (const [version, revision] of [
      [7, 0],
      [7, 3],
      [8, 2],
    ] as const) {
      expect(holds(condition, version, revision)).toBe(false);
    }
    expect(holds(condition, 7, 'any')).toBe(true);
    expect(holds(condition, 8, 'any')).toBe(false);
    expect(lets('"7"', undefined, 7)).toBe(true);
  });

  it('names the versions it lets through, for objects without revisions', () => {
    expect(versionsIn(parsePrecondition('"7", "8.1", "9"', undefined))).toEqual([7, 9]);
    expect(versionsIn(parsePrecondition('"2147483647", "2147483648"', undefined))).toEqual([2_147_483_647]);
    expect(versionsIn(parsePrecondition('*', undefined))).toBeUndefined();
    expect(versionsIn(parsePrecondition(undefined, undefined))).toBeUndefined();
  });

  it('holds under If-None-Match: * only for what does not exist', () => {
    expect(lets(undefined, '*', undefined)).toBe(true);
    expect(lets(undefined, '*', 1)).toBe(false);
    expect(lets('*', '*', 1)).toBe(false);
    expect(lets('*', '*', undefined)).toBe(false);
  });

  it('refuses every other If-None-Match, which it could not keep', () => {
    for (const header of ['"1"', '', '"1", *']) {
      expect(() => parsePrecondition(undefined, header)).toThrow(PreconditionFailedError);
    }
  });
});
