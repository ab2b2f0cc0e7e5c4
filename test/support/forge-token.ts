import { type KeyObject, sign } from 'node:crypto';

type Members = Readonly<Record<string, unknown>>;

/** A compact JWS (RFC 7515) of whatever header and payload, signed with ES256. */
export function signToken(header: Members, payload: Members, key: KeyObject): string {
  const signed = `${encodePart(JSON.stringify(header))}.${encodePart(JSON.stringify(payload))}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export function encodePart(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** The header and payload of a token, unverified. */
export function readToken(token: string): { readonly header: Members; readonly payload: Members } {
  const [header, payload] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Members);
  return { header: header ?? {}, payload: payload ?? {} };
}
