import { type AliasableExpression, sql } from 'kysely';

/**
 * The whole number of a column, or 0 where it is beyond what JavaScript holds exactly: only somebody else can have
 * written that, and the drivers throw at it.
 */
export function orZero(column: string): AliasableExpression<number> {
  const name = sql.ref(column);
  const { MIN_SAFE_INTEGER: min, MAX_SAFE_INTEGER: max } = Number;
  return sql<number>`case when ${name} between ${sql.lit(min)} and ${sql.lit(max)} then ${name} else 0 end`;
}
