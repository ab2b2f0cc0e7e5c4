import { setImmediate as nextTurn } from 'node:timers/promises';

/** Above it a group would hold the log up for others. */
const MAX_GROUP = 256;

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes what many callers bring at about the same time in one go: while one write is under way the next group
 * gathers. Each caller waits until their own item is written, and is told when that fails.
 */
export class GroupedWriter<T> {
  #waiting: Waiting<T>[] = [];
  #isWriting = false;

  constructor(private readonly write: (items: readonly T[]) => Promise<void>) {}

  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isWriting) return;
      this.#isWriting = true;
      void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Requests that arrived in this turn of the event loop or arrive in the next go on at the end of one (`cohort.ts`):
      // they come first, and join. Without the second turn two half groups would follow each other for ever.
      await nextTurn();
      await nextTurn();
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        await this.write(group.map(({ item }) => item));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isWriting = false;
  }
}
