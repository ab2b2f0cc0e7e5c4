import { JwtService } from '@nestjs/jwt';
import { AppConfig } from '../../src/config/app-config.js';
import { parseEnvironment } from '../../src/config/environment.js';
import { AccessTokenSigner } from '../../src/crypto/access-token.js';
import { CryptoService } from '../../src/crypto/crypto.service.js';
import { PasswordHasher } from '../../src/crypto/password-hasher.js';
import { PasswordList } from '../../src/users/password-list.js';
import { PasswordPolicy } from '../../src/users/password-policy.service.js';
import { InMemoryKeyStore } from './in-memory-key-store.js';

type Variables = Readonly<Record<string, string>>;

/** The list that ships, and the one that the variables name. */
export function newPasswordList(variables: Variables = {}): PasswordList {
  const keyStore = new InMemoryKeyStore();
  const signer = new AccessTokenSigner(new JwtService({}), keyStore);
  const crypto = new CryptoService(keyStore, new PasswordHasher(), signer);
  return new PasswordList(crypto, new AppConfig(parseEnvironment(variables)));
}

export function newPasswordPolicy(variables: Variables = {}): PasswordPolicy {
  return new PasswordPolicy(newPasswordList(variables), new AppConfig(parseEnvironment(variables)));
}
