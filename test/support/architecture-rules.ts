import { basename, dirname } from 'node:path';
import ts from 'typescript';
import { nodesOf, type SourceFile } from './source-files.js';

/** What breaks a rule, one line each: the file and what it does. */
export type Rule = (files: readonly SourceFile[]) => string[];

/** A line may import the lines below it; neighbours on a line don't know each other. */
const layers: readonly (readonly string[])[] = [
  ['app', 'cli'],
  ['core'],
  ['auth'],
  ['secrets', 'shares', 'contacts', 'factors', 'health', 'users', 'welcome'],
  ['audit'],
  ['keys', 'throttle'],
  ['http', 'tls', 'crypto', 'database'],
  ['config'],
  ['common'],
];

/** The folder of a file; of those beside the folders, `core.module.ts` is `core` and the rest is `app`. */
export function areaOf(path: string): string {
  const [folder = '', ...rest] = path.split('/');
  if (rest.length > 0) return folder;
  return path === 'core.module.ts' ? 'core' : 'app';
}

export const respectsLayers: Rule = (files) =>
  files.flatMap(({ path, imports }) => {
    const area = areaOf(path);
    if (layerOf(area) === -1) return [`${path} is in no layer`];
    return imports
      .filter((target) => target.endsWith('.ts'))
      .filter((target) => areaOf(target) !== area && layerOf(areaOf(target)) <= layerOf(area))
      .map((target) => `${path} imports ${target}`);
  });

/** The modules may be imported where `isAllowed` says so, and nowhere else. */
export function importsOnlyFrom(modules: RegExp, isAllowed: (path: string) => boolean): Rule {
  return (files) =>
    files
      .filter(({ path }) => !isAllowed(path))
      .flatMap(({ path, imports }) =>
        imports.filter((target) => modules.test(target)).map((target) => `${path} imports ${target}`),
      );
}

export const keepsRepositoriesPrivate: Rule = (files) =>
  files.flatMap(({ path, imports }) =>
    imports
      .filter((target) => target.endsWith('.repository.ts') && dirname(target) !== dirname(path))
      .map((target) => `${path} imports ${target}`),
  );

export const hasNoBarrels: Rule = (files) => {
  const barrels = files
    .filter(({ path }) => basename(path) === 'index.ts')
    .map(({ path }) => `${path} is a barrel`);
  return [
    ...barrels,
    ...matching(files, 're-exports', (node) => {
      if (ts.isExportDeclaration(node)) return node.moduleSpecifier !== undefined || exportsImported(node);
      return isExportedAlias(node);
    }),
  ];
};

export const hasNoDefaultExports: Rule = (files) =>
  matching(files, 'exports a default', (node) => {
    if (ts.isExportAssignment(node)) return true;
    if (ts.isExportSpecifier(node)) return node.name.text === 'default';
    return ts.canHaveModifiers(node) && hasDefaultModifier(node);
  });

/** A member of a global, however it is reached: `process.env`, `process['env']` or `const { env } = process`. */
export function usesGlobalOnlyIn(object: string, member: string, isAllowed: (path: string) => boolean): Rule {
  return (files) =>
    matching(
      files.filter(({ path }) => !isAllowed(path)),
      `uses ${object}.${member}`,
      (node) => {
        if (ts.isPropertyAccessExpression(node))
          return isNamed(node.expression, object) && node.name.text === member;
        if (ts.isElementAccessExpression(node)) {
          return isNamed(node.expression, object) && isText(node.argumentExpression, member);
        }
        if (!ts.isVariableDeclaration(node) || !node.initializer || !isNamed(node.initializer, object))
          return false;
        return (
          ts.isObjectBindingPattern(node.name) && node.name.elements.some((element) => takes(element, member))
        );
      },
    );
}

/** The identifier itself, as `console` in `console.log`. */
export function neverUses(name: string): Rule {
  return usesOnlyIn(name, () => false);
}

/** The same, but for some files. */
export function usesOnlyIn(name: string, isAllowed: (path: string) => boolean): Rule {
  return (files) =>
    matching(
      files.filter(({ path }) => !isAllowed(path)),
      `uses ${name}`,
      (node) =>
        ((ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) &&
          isNamed(node.expression, name)) ||
        isAlias(node, name),
    );
}

/** Neither as an identifier nor in a text. */
export function neverNames(name: RegExp): Rule {
  return (files) =>
    matching(
      files,
      `names ${name.source}`,
      (node) =>
        (ts.isIdentifier(node) || ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) &&
        name.test(node.text),
    );
}

/** Texts of the code, not of its comments. */
export function hasTextOnlyIn(text: RegExp, isAllowed: (path: string) => boolean): Rule {
  return (files) =>
    matching(
      files.filter(({ path }) => !isAllowed(path)),
      `holds ${text.source}`,
      (node) => (ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) && text.test(node.text),
    );
}

export function isAtMostLong(maxLines: number, exceptions: Readonly<Record<string, number>>): Rule {
  return (files) => {
    const tooLong = files
      .filter(({ path, lines }) => lines > (exceptions[path] ?? maxLines))
      .map(({ path, lines }) => `${path} has ${lines} lines`);
    const needless = Object.keys(exceptions)
      .filter((path) => !files.some((file) => file.path === path && file.lines > maxLines))
      .map((path) => `${path} needs no exception`);
    return [...tooLong, ...needless];
  };
}

function layerOf(area: string): number {
  return layers.findIndex((line) => line.includes(area));
}

function matching(
  files: readonly SourceFile[],
  claim: string,
  isMatch: (node: ts.Node) => boolean,
): string[] {
  return files.filter(({ syntax }) => nodesOf(syntax).some(isMatch)).map(({ path }) => `${path} ${claim}`);
}

function hasDefaultModifier(node: ts.HasModifiers): boolean {
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}

function isNamed(node: ts.Node, name: string): boolean {
  if (ts.isPropertyAccessExpression(node))
    return isNamed(node.expression, 'globalThis') && node.name.text === name;
  if (ts.isElementAccessExpression(node))
    return isNamed(node.expression, 'globalThis') && isText(node.argumentExpression, name);
  return ts.isIdentifier(node) && node.text === name;
}

function isText(node: ts.Node, text: string): boolean {
  return ts.isStringLiteralLike(node) && node.text === text;
}

function takes({ name, propertyName }: ts.BindingElement, member: string): boolean {
  const source = propertyName ?? name;
  return ts.isIdentifier(source) && source.text === member;
}

function isAlias(node: ts.Node, name: string): boolean {
  return ts.isVariableDeclaration(node) && node.initializer !== undefined && isNamed(node.initializer, name);
}

/** `export { b }` of an imported `b`. */
function exportsImported(node: ts.ExportDeclaration): boolean {
  const { exportClause } = node;
  if (!exportClause || !ts.isNamedExports(exportClause)) return false;
  const imported = importedNames(node.getSourceFile());
  return exportClause.elements.some(({ name, propertyName }) => imported.has((propertyName ?? name).text));
}

/** `export const c = b` of an imported `b`. */
function isExportedAlias(node: ts.Node): boolean {
  if (!ts.isVariableStatement(node)) return false;
  if (!node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return false;
  const imported = importedNames(node.getSourceFile());
  return node.declarationList.declarations.some(
    ({ initializer }) => initializer && ts.isIdentifier(initializer) && imported.has(initializer.text),
  );
}

function importedNames(file: ts.SourceFile): ReadonlySet<string> {
  const names = nodesOf(file).map((node) => {
    const isImport = ts.isImportSpecifier(node) || ts.isNamespaceImport(node) || ts.isImportClause(node);
    return isImport ? node.name?.text : undefined;
  });
  return new Set(names.filter((name) => name !== undefined));
}
