import { type Clock } from '../../src/common/clock.js';
import { AuditCheckpoints } from '../../src/audit/audit-checkpoints.js';
import { AuditCheckpointsRepository } from '../../src/audit/audit-checkpoints.repository.js';
import { AuditCheckpointer } from '../../src/audit/audit-checkpointer.js';
import { type NewAuditEvent } from '../../src/audit/audit-event.js';
import { AuditKeys } from '../../src/audit/audit-keys.js';
import { AuditRepository } from '../../src/audit/audit.repository.js';
import { AuditService } from '../../src/audit/audit.service.js';
import { AuditVerifier } from '../../src/audit/audit-verifier.js';
import { AuditWriter } from '../../src/audit/audit-writer.js';
import { AppConfig } from '../../src/config/app-config.js';
import { type Environment, parseEnvironment } from '../../src/config/environment.js';
import { AccessTokenSigner } from '../../src/crypto/access-token.js';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { PasswordHasher } from '../../src/crypto/password-hasher.js';
import { JwtService } from '@nestjs/jwt';
import { type Database } from '../../src/database/database.js';
import { openKeyring } from './keyring.js';

export const anEvent: NewAuditEvent = {
  actor: 'ada',
  action: 'secret.read',
  target: 'secret:1',
  outcome: 'success',
  ip: '192.0.2.1',
  requestId: 'request-1',
};

/** The audit log over a database, with caches of its own, as an instance of the application has it. */
export function openAuditLog(
  database: Database,
  rootKey: Parameters<typeof openKeyring>[1],
  clock: Clock,
  environment: Environment = {},
) {
  const { keyring } = openKeyring(database, rootKey, clock);
  const crypto = new CryptoService(
    keyring,
    new PasswordHasher(),
    new AccessTokenSigner(new JwtService(), keyring),
  );
  const repository = new AuditRepository(database);
  const keys = new AuditKeys(keyring);
  const writer = new AuditWriter(repository, keys, database);
  const audit = new AuditService(repository, writer, keys, database, clock);
  const checkpointsRepository = new AuditCheckpointsRepository(database);
  const checkpoints = new AuditCheckpoints(
    checkpointsRepository,
    repository,
    writer,
    crypto,
    database,
    clock,
  );
  const verifier = new AuditVerifier(repository, checkpoints, writer, keys);
  const config = new AppConfig(parseEnvironment(environment));
  const checkpointer = new AuditCheckpointer(checkpoints, verifier, writer, repository, config);
  return { audit, verifier, checkpoints, checkpointer, keyring };
}
