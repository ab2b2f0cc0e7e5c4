import { describe, expect, it } from '@jest/globals';
import { IsString } from 'class-validator';
import { PageQuery } from './pagination.js';
import { validated } from './validation.js';

class RequiredQuery {
  @IsString()
  readonly email!: string;
}

describe('validated', () => {
  it('makes a query of its own, with its defaults, of every empty one', async () => {
    const queries: PageQuery[] = [];
    for (let call = 0; call < 3; call++) {
      queries.push(await validated.transform({}, { type: 'query', metatype: PageQuery }));
    }
    expect(queries).toEqual([{ limit: 20 }, { limit: 20 }, { limit: 20 }]);
    expect(queries.every((query) => query instanceof PageQuery)).toBe(true);
    expect(new Set(queries).size).toBe(3);
  });

  it('refuses an empty query every time when it needs a field', async () => {
    for (let call = 0; call < 3; call++) {
      const query = validated.transform({}, { type: 'query', metatype: RequiredQuery });
      await expect(query).rejects.toMatchObject({ code: 'ERR_VALIDATION' });
    }
  });

  it('checks a query that has fields after an empty one', async () => {
    const metadata = { type: 'query', metatype: PageQuery } as const;
    await validated.transform({}, metadata);
    for (const refused of [{ limit: '0' }, { other: '' }]) {
      const query = validated.transform(refused, metadata);
      await expect(query).rejects.toMatchObject({ code: 'ERR_VALIDATION' });
    }
    await expect(validated.transform({ limit: '7' }, metadata)).resolves.toEqual({ limit: 7 });
  });
});
