/** Waits turn by turn of the event loop; the test's own time limit ends it when it never becomes so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
