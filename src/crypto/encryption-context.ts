/**
 * What a plaintext belongs to. Every entry is authenticated with the ciphertext, so a ciphertext
 * moved to another row, column, owner or version is refused. `purpose` and `owner` also select the key.
 */
export interface EncryptionContext {
  readonly purpose: string;
  readonly owner: string;
  readonly [entry: string]: string;
}
