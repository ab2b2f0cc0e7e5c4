import { Injectable } from '@nestjs/common';
import { JwtService, type JwtVerifyOptions } from '@nestjs/jwt';
import { type AccessTokenClaims, parseClaims } from './access-token-claims.js';
import { readCompactJws } from './compact-jws.js';
import { KeyStore } from './key-store.js';

const ALGORITHM = 'ES256';
/** RFC 9068, 2.1: a token of another kind, such as an id token, can't pass for an access token. */
const TOKEN_TYPE = 'at+jwt';
/** How far the clocks of two instances may differ. */
const CLOCK_SKEW_SECONDS = 5;

export interface AccessTokenExpectations {
  readonly issuer: string;
  readonly audience: string;
  /** Now, in Unix seconds. */
  readonly nowSeconds: number;
}

export type SignAccessToken = (claims: AccessTokenClaims) => string;

/** The one error of every refused access token. Which check failed is nobody's business. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';

  constructor() {
    super('access token is not valid');
  }
}

/**
 * Access tokens: JWT (RFC 7519, profile RFC 9068) signed with ES256, checked as RFC 8725 demands.
 *
 * ECDSA signatures have a second valid spelling that anyone can compute, so a token's text identifies
 * nothing: use `jti` or `sid`.
 */
@Injectable()
export class AccessTokenSigner {
  constructor(
    private readonly jwt: JwtService,
    private readonly keyStore: KeyStore,
  ) {}

  /** Signs with the key that is primary now: who has the function needs no database any more. */
  async ready(): Promise<SignAccessToken> {
    const { kid, key } = await this.keyStore.tokenSigningKey();
    const header = { alg: ALGORITHM, typ: TOKEN_TYPE, kid };
    const options = { privateKey: key, algorithm: ALGORITHM, header } as const;
    // The asynchronous call signs in the same turn too, and takes a chain of streams to it.
    return (claims) => this.jwt.sign({ ...claims }, options);
  }

  /** Whether the key that the token names may still verify. It says nothing else of the token. */
  async isKeyUsable(token: string): Promise<boolean> {
    const unverified = readCompactJws(token, { alg: ALGORITHM, typ: TOKEN_TYPE });
    return (
      unverified !== undefined && (await this.keyStore.tokenVerificationKey(unverified.kid)) !== undefined
    );
  }

  /** @throws InvalidTokenError for whatever is wrong with the token */
  async verify(token: string, expectations: AccessTokenExpectations): Promise<AccessTokenClaims> {
    const unverified = readCompactJws(token, { alg: ALGORITHM, typ: TOKEN_TYPE });
    if (unverified === undefined) throw new InvalidTokenError();
    const claims = parseClaims(unverified.payload);
    if (claims === undefined || !isExpected(claims, expectations)) throw new InvalidTokenError();

    const verificationKey = await this.keyStore.tokenVerificationKey(unverified.kid);
    if (verificationKey === undefined) throw new InvalidTokenError();
    const options: JwtVerifyOptions = {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- jsonwebtoken takes a KeyObject, the type lags
      publicKey: verificationKey.key as unknown as Buffer,
      algorithms: [ALGORITHM],
      issuer: expectations.issuer,
      audience: expectations.audience,
      clockTimestamp: expectations.nowSeconds,
      clockTolerance: CLOCK_SKEW_SECONDS,
    };
    try {
      this.jwt.verify(token, options);
    } catch {
      throw new InvalidTokenError();
    }
    return claims;
  }
}

/** Cheap and done first: a foreign or old token costs no key look-up. jsonwebtoken checks most of it again. */
function isExpected(claims: AccessTokenClaims, expectations: AccessTokenExpectations): boolean {
  const latest = expectations.nowSeconds + CLOCK_SKEW_SECONDS;
  const earliest = expectations.nowSeconds - CLOCK_SKEW_SECONDS;
  return (
    claims.iss === expectations.issuer &&
    claims.aud === expectations.audience &&
    claims.exp > earliest &&
    claims.nbf <= latest &&
    claims.iat <= latest &&
    claims.auth_time <= latest
  );
}
