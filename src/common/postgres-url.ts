/** PostgreSQL's URL, or null. Behind a socket, whose directory is a parameter, it has no host, which no other URL lacks. */
export function parsePostgresUrl(text: string): URL | null {
  return URL.parse(text.replace('@/', '@localhost/'));
}
