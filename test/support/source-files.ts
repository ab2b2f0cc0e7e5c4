import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** One source file, parsed. Paths are relative to `src`, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly lines: number;
  readonly syntax: ts.SourceFile;
  /** What it imports, dynamically too: a path for a file of ours, else the package or module. */
  readonly imports: readonly string[];
}

export function parseSource(path: string, text: string): SourceFile {
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const imports = nodesOf(syntax).flatMap((node) => {
    const specifier = specifierOf(node);
    return specifier === undefined ? [] : [resolve(path, specifier)];
  });
  return { path, lines: text.trimEnd().split('\n').length, syntax, imports };
}

/** Every file under `directory` but specs. */
export function readSources(directory: string): SourceFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => parseSource(relative(directory, file).split(sep).join('/'), readFileSync(file, 'utf8')));
}

/** The node and everything below it. */
export function nodesOf(node: ts.Node): ts.Node[] {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(...nodesOf(child));
  });
  return [node, ...children];
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function resolve(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return posix.join(dirname(path), specifier).replace(/\.js$/, '.ts');
}
