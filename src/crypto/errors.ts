/**
 * The one error of every failed decryption: unknown version, suite or key, wrong context, short input,
 * bad tag. It tells a caller nothing more, so it is no oracle. `keyId` is for the log.
 */
export class DecryptionError extends Error {
  override readonly name = 'DecryptionError';
  readonly code = 'ERR_DECRYPTION';

  constructor(
    readonly keyId?: string,
    options?: ErrorOptions,
  ) {
    super('ciphertext cannot be decrypted', options);
  }
}
