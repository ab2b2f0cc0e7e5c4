import { type ColumnType } from 'kysely';

/** A column that is written once. */
export type Immutable<T> = ColumnType<T, T, never>;
