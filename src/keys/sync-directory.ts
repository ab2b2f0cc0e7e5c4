import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Brings the names in a directory to the disk, so that a new or changed one outlives a power cut. */
export function syncDirectory(directory: string): void {
  // Windows can't open a directory; it keeps a journal of names by itself.
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
