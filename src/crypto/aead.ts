/**
 * Authenticated encryption under one key (RFC 5116), with its nonce or salt in front of the ciphertext.
 * `associatedData` is authenticated but not stored: the same bytes are needed to decrypt.
 */
export interface Aead {
  /**
   * The result starts with `header` (empty when omitted), so an envelope is built without copying the
   * ciphertext a second time. The header is not authenticated by itself: put it in `associatedData`.
   */
  encrypt(plaintext: Uint8Array, associatedData: Uint8Array, header?: Uint8Array): Buffer;

  /**
   * Takes what `encrypt` gave, without the header.
   *
   * @throws DecryptionError for short input, changed bytes and other associated data alike
   */
  decrypt(ciphertext: Uint8Array, associatedData: Uint8Array): Buffer;
}
