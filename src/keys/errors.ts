/** A key can't be destroyed: something still needs it. The message says what. */
export class KeyInUseError extends Error {
  override readonly name = 'KeyInUseError';
}
