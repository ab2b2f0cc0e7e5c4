import { permissionRules } from '../../src/common/permissions.js';
import { type Route } from './route-table.js';

const HEAD = `# Permissions

This page is generated from the table in [permissions.ts](../src/common/permissions.ts) and the marks of the routes.
After a change of either, write it anew:

\`\`\`
UPDATE_DOCS=true npm test -- test/e2e/route-matrix
\`\`\`

A permission is for the caller's own objects unless it says otherwise. [auth.md](auth.md#roles-and-permissions) has the
rules around it.

## Roles
`;

/** The text of docs/permissions.md. */
export function permissionsPage(routes: readonly Route[]): string {
  const permissions = Object.entries(permissionRules).map(([name, { roles, isScope, allows }]) => {
    const held: readonly string[] = roles;
    return [`\`${name}\``, yes(held.includes('user')), yes(held.includes('admin')), yes(isScope), allows];
  });
  const marks = routes.map(({ name, access }) => {
    const route = `\`${name.replaceAll(/:(\w+)/g, '{$1}')}\``;
    if ('public' in access) return [route, 'anyone', ''];
    return [route, `\`${access.permission}\``, access.isStepUp ? 'yes' : ''];
  });
  return [
    HEAD,
    table(['permission', '`user`', '`admin`', 'API key', 'allows to'], permissions),
    '\n## Routes\n',
    table(['route', 'permission', 'step-up'], marks),
    '',
  ].join('\n');
}

function yes(holds: boolean): string {
  return holds ? 'yes' : '';
}

/** As Prettier writes it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], filler = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  const rule = line(
    head.map(() => ''),
    '-',
  );
  return [line(head), rule, ...rows.map((row) => line(row))].join('\n');
}
