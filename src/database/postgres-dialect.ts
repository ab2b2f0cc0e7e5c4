import { type CustomTypesConfig, Pool, type PoolClient, type QueryResult, types as pgTypes } from 'pg';
import { type Dialect, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import { OwnerDeletedError } from '../common/app-error.js';
import { errorCode } from '../common/error-code.js';
import { doAgain } from './do-again.js';
import { DatabaseUnavailableError, KeyEndedError, TransactionConflictError } from './errors.js';
import { KEY_ENDED } from './migrations/0015-live-keys.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** The server ends a statement that takes longer. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** For a server that says nothing any more: what is dropped on the way comes with no error. */
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 1_000;
/** SQLSTATE foreign_key_violation: what a row belongs to, in the end an account, is deleted. */
const FOREIGN_KEY_VIOLATION = '23503';
/** SQLSTATE serialization_failure and deadlock_detected. */
const CONFLICTS: ReadonlySet<string | undefined> = new Set(['40001', '40P01']);

/** int8 arrives as text by default. Our largest values are Unix milliseconds and counts, below 2^53. */
const types: CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pgTypes.builtins.INT8
      ? Number
      : (pgTypes.getTypeParser(oid, format) as (text: string) => unknown),
};

/** Kysely over `pg`, with connection failures told apart from faults of ours. */
export function postgresDialect(url: string, onIdleError: (error: Error) => void): Dialect {
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    types,
  });
  // Without a listener an idle connection that breaks would end the process.
  pool.on('error', onIdleError);
  // So would one that breaks in use, where the query reports it as well.
  pool.on('connect', (client) => client.on('error', () => {}));
  return new PostgresDialect({ pool: translating(pool) });
}

function translating(pool: Pool): PostgresPool {
  return {
    connect: async () => translatingClient(await pool.connect().catch(translate)),
    end: () => pool.end(),
    options: pool.options,
  };
}

/** The client as it is lent out once. After a timeout it waits for an old answer: it is used no more. */
function translatingClient(client: PoolClient): PostgresPoolClient {
  let timeout: Error | undefined;
  return new Proxy(client, {
    get(target, property) {
      if (property === 'query') {
        return async (text: string, values: unknown[]) => {
          if (timeout) return translate(timeout);
          return queryAgain(target, text, values).catch((error: unknown) => {
            if (isQueryTimeout(error)) timeout = error;
            return translate(error);
          });
        };
      }
      // With an error the pool closes it.
      if (property === 'release') return (discards?: boolean) => target.release(timeout ?? discards);
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/**
 * A statement that is a transaction of its own is done again when it was undone to end a deadlock: it locks the keys
 * that its row is under, and who wraps those anew may lock them in another order.
 */
async function queryAgain(client: PoolClient, text: string, values: unknown[]): Promise<QueryResult> {
  const isAlone = client.getTransactionStatus() === 'I';
  return doAgain(
    () => client.query(text, values),
    (error) => isAlone && CONFLICTS.has(errorCode(error)),
  );
}

/** The driver's own, which has no code. */
function isQueryTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

function translate(error: unknown): never {
  if (CONFLICTS.has(errorCode(error))) throw new TransactionConflictError(error);
  if (errorCode(error) === KEY_ENDED) throw new KeyEndedError(error);
  if (isUnavailable(error)) throw new DatabaseUnavailableError(error);
  throw errorCode(error) === FOREIGN_KEY_VIOLATION ? new OwnerDeletedError(error) : error;
}

/**
 * Network errors and a connection lost have no SQLSTATE. Class 08 is a connection exception, 25006 a server that
 * takes no writes, as a standby before it is promoted, 28 and 3D a login or database refused, 53 a lack of
 * resources, 57 an operator's intervention or a statement's timeout, 58 a fault of the disk (PostgreSQL
 * documentation, appendix A).
 */
function isUnavailable(error: unknown): boolean {
  const code = errorCode(error);
  if (code === undefined) return error instanceof Error && /connection|timeout/i.test(error.message);
  return /^(08|25006|28|3D|53|57|58|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOSTUNREACH|ENOENT)/.test(code);
}
