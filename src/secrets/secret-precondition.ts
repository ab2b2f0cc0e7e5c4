import {
  holds,
  type Precondition,
  PreconditionFailedError,
  PreconditionRequiredError,
} from '../common/precondition.js';
import { type SecretRow } from './secrets.repository.js';

/**
 * What every write owes whoever read before it.
 *
 * @param touched - `metadata` counts its changes since the latest version too; `data` is another's business then
 * @throws {PreconditionFailedError}
 * @throws {PreconditionRequiredError} when the secret demands compare-and-set and no condition is given
 */
export function requireCondition(
  precondition: Precondition,
  secret: Pick<SecretRow, 'latest_version' | 'metadata_revision' | 'cas_required'>,
  touched: 'data' | 'metadata',
): void {
  const revision = touched === 'metadata' ? secret.metadata_revision : 'any';
  // A new secret has version 0 until its first version is written: it is not there yet.
  const isThere = secret.latest_version > 0;
  if (!holds(precondition, isThere ? secret.latest_version : undefined, revision)) {
    throw new PreconditionFailedError();
  }
  const isConditional = precondition.ifMatch !== undefined || precondition.ifNoneMatch !== undefined;
  if (isThere && secret.cas_required === 1 && !isConditional) throw new PreconditionRequiredError();
}
