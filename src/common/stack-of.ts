/** What a fault of ours is told by. Its other properties may hold a secret, such as a URL with its password. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
