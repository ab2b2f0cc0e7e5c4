import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ENTRY_BYTES, MAGIC } from './password-list-format.js';

/** An open list. */
export class PasswordListFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly length: number,
  ) {}

  /**
   * Waits for nobody, as a pipe would make it.
   *
   * @throws {Error} when it can't be read or is no such list
   */
  static async open(path: string | URL): Promise<PasswordListFile> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await handle.stat();
    const start = status.isFile() ? await readAt(handle, 0, MAGIC.length).catch(() => undefined) : undefined;
    const length = (status.size - MAGIC.length) / ENTRY_BYTES;
    if (!start?.equals(MAGIC) || !Number.isInteger(length)) {
      await handle.close();
      throw new Error(`${String(path)} is not a list of passwords`);
    }
    return new PasswordListFile(handle, length);
  }

  async has(entry: number): Promise<boolean> {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const bytes = await readAt(this.handle, MAGIC.length + middle * ENTRY_BYTES, ENTRY_BYTES);
      const found = bytes.readUIntBE(0, ENTRY_BYTES);
      if (found === entry) return true;
      if (found < entry) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error('the list of passwords ends early');
  return buffer;
}
