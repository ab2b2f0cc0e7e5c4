/** Each new attempt meets the winner of the last deadlock no more. */
const MAX_ATTEMPTS = 4;

/** Does work again, from its beginning, that PostgreSQL undid to end a deadlock. @throws what the last attempt throws */
export async function doAgain<T>(work: () => Promise<T>, isUndone: (error: unknown) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isUndone(error)) throw error;
    }
  }
}
