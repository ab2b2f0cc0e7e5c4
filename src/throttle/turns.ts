/** Lets those with the same name through one at a time, first come first served, and others meanwhile. */
export class Turns {
  readonly #waiting = new Map<string, (() => void)[]>();

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const line = this.#waiting.get(name);
    if (line) await new Promise<void>((resolve) => line.push(resolve));
    else this.#waiting.set(name, []);
    try {
      return await work();
    } finally {
      const next = this.#waiting.get(name)?.shift();
      if (next) next();
      else this.#waiting.delete(name);
    }
  }
}
