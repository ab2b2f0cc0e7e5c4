const MAX_TOKEN_CHARACTERS = 4096;
const KID = /^[A-Za-z0-9_-]{1,64}$/;
const HEADER_MEMBERS = 3;

/** The two readable parts of an access token before its signature is checked: believe nothing of it yet. */
export interface UnverifiedToken {
  readonly kid: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Reads a compact JWS (RFC 7515) as strictly as our own signer writes it, and before any key is looked
 * up. `undefined` for anything else:
 *
 * - not exactly three parts (JWE has five), an empty signature, over 4096 characters;
 * - base64url that does not encode back to itself, so one token has one spelling;
 * - JSON that does not print back to itself: duplicate members, of which readers disagree which counts
 *   (RFC 7515, 4 and RFC 7519, 4), never survive that;
 * - a header with other members than `alg`, `typ` and `kid`: `crit`, `jwk`, `jku`, `x5u`, `x5c`, `zip`
 *   and `b64` ask to be trusted before the signature is (RFC 8725, 3.10).
 */
export function readCompactJws(
  token: string,
  expected: { alg: string; typ: string },
): UnverifiedToken | undefined {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
  const parts = token.split('.', 4);
  const [headerPart, payloadPart, signaturePart] = parts;
  if (parts.length !== 3 || !headerPart || !payloadPart || !signaturePart) return undefined;

  const header = readObject(headerPart);
  if (header === undefined || Object.keys(header).length !== HEADER_MEMBERS) return undefined;
  const { alg, typ, kid } = header;
  if (alg !== expected.alg || typ !== expected.typ) return undefined;
  if (typeof kid !== 'string' || !KID.test(kid)) return undefined;

  const payload = readObject(payloadPart);
  if (payload === undefined || decodeCanonical(signaturePart) === undefined) return undefined;
  return { kid, payload };
}

function readObject(part: string): Record<string, unknown> | undefined {
  const text = decodeCanonical(part)?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
}
