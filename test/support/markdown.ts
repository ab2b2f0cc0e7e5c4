/** The targets of its links, as written. Code holds none. */
export function linksOf(markdown: string): string[] {
  return [
    ...withoutBlocks(markdown)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, target = '']) => target);
}

/** What stands between single backticks. */
export function codeSpansOf(markdown: string): string[] {
  return [...withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** What its fenced code blocks in this language hold. */
export function codeBlocksOf(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms);
  return [...blocks].filter(([, found]) => found === language).map(([, , code = '']) => code);
}

/** The anchors of its headings, as GitHub makes them. */
export function anchorsOf(markdown: string): string[] {
  const headings = withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The cells of every row of its tables, header rows included. */
export function tableRowsOf(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, '');
}
