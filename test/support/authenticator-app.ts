import { createHmac } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What a user has on their phone: it reads the key URI and shows codes, by an implementation of its own. */
export class AuthenticatorApp {
  readonly issuer: string;
  readonly account: string;
  readonly #seed: Buffer;

  constructor(uri: string) {
    const { protocol, host, pathname, searchParams } = new URL(uri);
    if (protocol !== 'otpauth:' || host !== 'totp') throw new TypeError(`cannot read ${uri}`);
    const [issuer = '', account = ''] = pathname.slice(1).split(':').map(decodeURIComponent);
    this.issuer = issuer;
    this.account = account;
    this.#seed = fromBase32(searchParams.get('secret') ?? '');
  }

  /** The code that is shown at this time, or so many steps of 30 s later. */
  code(nowMs: number, steps = 0): string {
    const counter = (Math.floor(nowMs / 30_000) + steps).toString(16).padStart(16, '0');
    const mac = createHmac('sha1', this.#seed).update(Buffer.from(counter, 'hex')).digest();
    const start = (mac.at(-1) ?? 0) % 16;
    const number = Number.parseInt(mac.subarray(start, start + 4).toString('hex'), 16) % 2 ** 31;
    return String(number).slice(-6).padStart(6, '0');
  }
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (character) => BASE32.indexOf(character).toString(2).padStart(5, '0')).join(
    '',
  );
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
