import { type KeyObject } from 'node:crypto';

/** The public half of a token-signing key as a JSON Web Key (RFC 7517). */
export interface PublicTokenKey {
  readonly kty?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly kid: string;
  readonly use: string;
  readonly alg: string;
}

export function publicTokenKey(kid: string, key: KeyObject): PublicTokenKey {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
}
