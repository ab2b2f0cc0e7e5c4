/** What an access token says (RFC 9068, plus the session). Every claim is required; times are Unix seconds. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly aud: string;
  /** The user's id. */
  readonly sub: string;
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly jti: string;
  /** The session's id: ending the session ends the token. */
  readonly sid: string;
  readonly roles: readonly string[];
  /** How the user authenticated (RFC 8176), such as `pwd` and `otp`. */
  readonly amr: readonly string[];
  /** When the user last proved who they are, for step-up. */
  readonly auth_time: number;
}

type ClaimType = 'text' | 'seconds' | 'texts';

const claimTypes: Readonly<Record<keyof AccessTokenClaims, ClaimType>> = {
  iss: 'text',
  aud: 'text',
  sub: 'text',
  exp: 'seconds',
  iat: 'seconds',
  nbf: 'seconds',
  jti: 'text',
  sid: 'text',
  roles: 'texts',
  amr: 'texts',
  auth_time: 'seconds',
};

const checks: Readonly<Record<ClaimType, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string' && value !== '',
  seconds: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  texts: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
};

/**
 * The known claims of a payload, or `undefined` when one is absent or of another type. Further claims are
 * ignored and left out (RFC 7519, section 4), so one can be added while older instances still run.
 */
export function parseClaims(payload: Readonly<Record<string, unknown>>): AccessTokenClaims | undefined {
  const known: Record<string, unknown> = {};
  for (const name of Object.keys(claimTypes)) {
    if (Object.hasOwn(payload, name)) known[name] = payload[name];
  }
  return areClaims(known) ? known : undefined;
}

function areClaims(claims: object): claims is AccessTokenClaims {
  const values = new Map<string, unknown>(Object.entries(claims));
  return Object.entries(claimTypes).every(([name, type]) => checks[type](values.get(name)));
}
