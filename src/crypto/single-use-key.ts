import { createSecretKey, type KeyObject } from 'node:crypto';

const nodeMajor = Number.parseInt(process.versions.node, 10);

/**
 * The form in which a cipher takes a key that serves one message. A `KeyObject` pays off for a key in
 * use for long; for one message it depends on the runtime. To make it and start AES-256-GCM: Node 26.10
 * takes 9 µs from a Buffer and 13 µs through a `KeyObject`, Node 24.21 takes 35 µs and 9 µs.
 */
export const singleUseKey: (key: Buffer) => Buffer | KeyObject =
  nodeMajor >= 26 ? (key) => key : (key) => createSecretKey(key);
