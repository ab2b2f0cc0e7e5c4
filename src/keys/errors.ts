/** A key can't be destroyed: something still needs it. The message says what. */
export class KeyInUseError extends Error {
  override readonly name = 'KeyInUseError';
}

/** Somebody else changed the keys between their being read and written. Nothing was written. */
export class KeyChangedError extends Error {
  override readonly name = 'KeyChangedError';
}
