/**
 * Lets the requests that arrive in one turn of the event loop go on together. Each step then runs for all of them in a
 * row, with its code and data in the processor's caches, where going the whole way for one after the other finds them
 * driven out at every step: under load a contact read takes half the CPU. (Cohort scheduling: Larus and Parkes, USENIX
 * Annual Technical Conference 2002.)
 */
export class Cohort {
  #endOfTurn: Promise<undefined> | undefined;

  /** Resolves, for all who wait, when what has arrived is read. One promise serves all: each keeps its own async context. */
  join(): Promise<undefined> {
    this.#endOfTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#endOfTurn = undefined;
        resolve(undefined);
      });
    });
    return this.#endOfTurn;
  }
}
