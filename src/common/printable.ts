/**
 * What an operator's terminal only shows. Ids and purposes come from the database, and a control character in one, put
 * there by whoever can write to it, would move the cursor, hide a line or change what is read.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => (character === '\n' ? character : '\uFFFD'));
}
