import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MacKey } from './mac-key.js';

const parameters = { id: '0123456789abcdef', purpose: 'audit-chain' };

describe('MacKey', () => {
  it('gives the answer of RFC 4231', () => {
    // Section 4.2, test case 1, has a key of 20 bytes; HMAC pads keys with zeros up to 64 (RFC 2104).
    const key = MacKey.import(parameters, Buffer.concat([Buffer.alloc(20, 0x0b), Buffer.alloc(12)]));
    const message = Buffer.from('Hi There');
    const mac = 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7';
    expect(key.mac(message).toString('hex')).toBe(mac);
    expect(key.verify(message, Buffer.from(mac, 'hex'))).toBe(true);
  });

  it('gives what node’s HMAC gives for any key and message, whatever came before', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const messages = fc.array(fc.uint8Array({ maxLength: 2_000, size: 'max' }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(bytes, messages, (raw, sent) => {
        const expected = sent.map((message) => createHmac('sha256', raw).update(message).digest());
        const key = MacKey.import(parameters, raw);
        expect(sent.map((message) => key.mac(message))).toEqual(expected);
      }),
    );
  });

  it.each([0, 959, 960, 961])('takes a message of %i bytes', (length) => {
    const message = Buffer.alloc(length, 7);
    const expected = createHmac('sha256', Buffer.alloc(32, 1)).update(message).digest();
    expect(MacKey.import(parameters, Buffer.alloc(32, 1)).mac(message)).toEqual(expected);
  });

  it('refuses a MAC with any changed, missing or added byte, and of another key or message', () => {
    const key = MacKey.import(parameters, Buffer.alloc(32, 1));
    const message = Buffer.from('message');
    const mac = key.mac(message);
    for (const index of mac.keys()) {
      const changed = Buffer.from(mac);
      changed[index]! ^= 1;
      expect(key.verify(message, changed)).toBe(false);
      expect(key.verify(message, mac.subarray(0, index))).toBe(false);
    }
    expect(key.verify(message, Buffer.concat([mac, Buffer.alloc(1)]))).toBe(false);
    expect(key.verify(Buffer.from('massage'), mac)).toBe(false);
    expect(MacKey.import(parameters, Buffer.alloc(32, 2)).verify(message, mac)).toBe(false);
  });

  it('takes 32 bytes, fills them with zeros and shows none of them', () => {
    const raw = [31, 32, 33].map((length) => Buffer.alloc(length, 0xab));
    const [short, right, long] = raw.map((bytes) => () => MacKey.import(parameters, bytes));
    expect(JSON.stringify(right!())).toBe(JSON.stringify(parameters));
    expect(short).toThrow(RangeError);
    expect(long).toThrow(RangeError);
    expect(raw.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });
});
