import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import {
  type Compilable,
  type CompiledQuery,
  type Dialect,
  type Insertable,
  Kysely,
  sql,
  type Transaction,
} from 'kysely';
import { type DirectConnection } from './direct-connection.js';
import { doAgain } from './do-again.js';
import { TransactionConflictError } from './errors.js';
import { Place } from './place.js';
import { type Schema } from './schema.js';

const logger = new Logger('Database');

export type DatabaseKind = 'sqlite' | 'postgres';

interface RunningTransaction {
  readonly query: Transaction<Schema>;
  readonly lastActs: Map<object, { readonly items: unknown[]; readonly run: () => Promise<void> }>;
  readonly afterwards: (() => void)[];
  hasEnded: boolean;
}

/**
 * The connection, for repositories. Inside `transaction()` every query of the same asynchronous flow
 * joins it, so services compose without handing a transaction around.
 */
export class Database {
  readonly #kysely: Kysely<Schema>;
  readonly #inserts = new Map<string, CompiledQuery>();
  readonly #transactions = new AsyncLocalStorage<RunningTransaction>();
  readonly #readings: (() => Promise<void>)[] = [];

  constructor(
    readonly kind: DatabaseKind,
    dialect: Dialect,
    private readonly direct?: DirectConnection,
  ) {
    this.#kysely = new Kysely<Schema>({ dialect });
  }

  /** The surrounding transaction, or else the connection itself. */
  get query(): Kysely<Schema> {
    return this.#transactions.getStore()?.query ?? this.#kysely;
  }

  /** Whether a query made now could see what is not committed yet, so must not be remembered. */
  get isInTransaction(): boolean {
    return this.#transactions.getStore() !== undefined;
  }

  /**
   * Commits what `work` wrote when it resolves and undoes it when it throws. Joins a surrounding
   * transaction. On SQLite one transaction runs at a time: never wait for a slow hash inside.
   *
   * @param work - done again, from its beginning, when PostgreSQL undid it to end a deadlock
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.#transactions.getStore()) return work();
    const attempt = async () => {
      for (const read of this.#readings) await read();
      return this.#commit(work);
    };
    return doAgain(attempt, (error) => error instanceof TransactionConflictError);
  }

  /** Reads what every transaction needs before it begins: inside, nothing that is read may be remembered. */
  beforeTransactions(read: () => Promise<void>): void {
    this.#readings.push(read);
  }

  /**
   * Hands `item` to `act` as the last thing in the surrounding transaction, which it undoes when it throws. What one
   * transaction hands to the same `act` comes together, in order. So a lock that everybody wants is held for the
   * shortest time, and nobody who holds it waits for another.
   */
  beforeCommit<Item>(act: (items: readonly Item[]) => Promise<void>, item: Item): void {
    const running = this.#running();
    const known = running.lastActs.get(act);
    if (known) {
      known.items.push(item);
      return;
    }
    const items = [item];
    running.lastActs.set(act, { items, run: () => act(items) });
  }

  /** Calls `act` when the surrounding transaction is committed, outside of it, and never when it is undone. */
  afterCommit(act: () => void): void {
    this.#running().afterwards.push(act);
  }

  /**
   * A statement compiled once and run with other arguments each time: building and compiling it costs more than
   * running it does on SQLite. `build` may use each argument only as a value.
   */
  prepare<Arguments extends readonly unknown[], Row>(
    build: (query: Kysely<Schema>, ...values: Arguments) => Compilable<Row>,
  ): (...values: Arguments) => Promise<Row[]> {
    const places = Array.from({ length: build.length - 1 }, (_, index) => new Place(index));
    const compiled = build(this.#kysely, ...(places as unknown as Arguments)).compile();
    const order = compiled.parameters.map((parameter) =>
      parameter instanceof Place ? parameter.index : undefined,
    );
    return (...values) => {
      const parameters = order.map((index, at) =>
        index === undefined ? compiled.parameters[at] : values[index],
      );
      return this.#run(compiled, parameters);
    };
  }

  /**
   * Adds a row. The statement is compiled once for each set of columns: building it takes longer than running it
   * does on SQLite.
   */
  async insert<Table extends keyof Schema>(table: Table, row: Insertable<Schema[Table]>): Promise<void> {
    let name: string = table;
    const parameters: unknown[] = [];
    for (const [column, value] of Object.entries(row)) {
      if (value === undefined) continue;
      name += ` ${column}`;
      parameters.push(value);
    }
    const known = this.#inserts.get(name);
    const compiled = known ?? this.#kysely.insertInto(table).values(row).compile();
    if (!known) this.#inserts.set(name, compiled);
    await this.#run(compiled, parameters);
  }

  /** Leaves nothing of what was deleted in SQLite's files. PostgreSQL does that by itself, in its own time. */
  async scrub(): Promise<void> {
    await this.direct?.scrub();
  }

  /** Resolves when the database answers. */
  async ping(): Promise<void> {
    await sql`select 1`.execute(this.#kysely);
  }

  async close(): Promise<void> {
    await this.#kysely.destroy();
  }

  async #commit<T>(work: () => Promise<T>): Promise<T> {
    const afterwards: (() => void)[] = [];
    const committed = await this.#kysely.transaction().execute((query) => {
      const running: RunningTransaction = { query, lastActs: new Map(), afterwards, hasEnded: false };
      return this.#transactions.run(running, async () => {
        try {
          const result = await work();
          for (const { run } of running.lastActs.values()) await run();
          return result;
        } finally {
          running.hasEnded = true;
        }
      });
    });
    for (const act of afterwards) {
      try {
        act();
      } catch (error) {
        // It is committed: nobody may be told otherwise, and no other act may be left out.
        logger.error({ err: error }, 'something that follows a commit failed');
      }
    }
    return committed;
  }

  #running(): RunningTransaction {
    const running = this.#transactions.getStore();
    if (!running) throw new Error('there is no transaction to act in');
    return running;
  }

  async #run<Row>(compiled: CompiledQuery<Row>, parameters: readonly unknown[]): Promise<Row[]> {
    const running = this.#transactions.getStore();
    if (this.direct && running && !running.hasEnded) {
      return this.direct.write(compiled.sql, parameters) as Row[];
    }
    if (this.direct && !running && compiled.query.kind === 'SelectQueryNode') {
      return this.direct.read(compiled.sql, parameters) as Row[];
    }
    // Kysely refuses what comes after the end of its transaction.
    const query: CompiledQuery<Row> = { ...compiled, parameters };
    const { rows } = await this.query.executeQuery(query);
    return rows;
  }
}
