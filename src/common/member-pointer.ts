/** The JSON pointer of an object's member (RFC 6901, section 3). */
export function memberPointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
