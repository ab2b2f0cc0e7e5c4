import { printable } from '../common/printable.js';
import { type InventoriedKey, type KeyInventory } from '../keys/key-inventory.js';

const DAY_MS = 86_400_000;

type Job = Awaited<ReturnType<KeyInventory['unfinishedJobs']>>[number];
type UserKeys = Awaited<ReturnType<KeyInventory['ofUsers']>>[number];

export function printKeys(keys: readonly InventoriedKey[]): void {
  const rows = keys.map((key) => [
    key.id,
    key.purpose,
    String(key.version),
    key.state,
    ageInDays(key.activated_at),
    key.uses === undefined ? '-' : String(key.uses),
    key.dueAt?.toISOString().slice(0, 10) ?? '-',
  ]);
  printTable(['key', 'purpose', 'version', 'state', 'days', 'in use by', 'rotates'], rows);
}

export function printUsers(groups: readonly UserKeys[]): void {
  if (groups.length === 0) return;
  const rows = groups.map(({ purpose, state, keys, owners }) => [
    purpose,
    state,
    String(keys),
    String(owners),
  ]);
  process.stdout.write('\n');
  printTable(['users: purpose', 'state', 'keys', 'owners'], rows);
}

export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

/** Such as `user-kek of 0190…: 20 of 100`. */
export function describeJob({ purpose, owner_id: owner, done, total, remaining }: Job): string {
  const left = remaining ? `, ${remaining} could not be moved` : '';
  return `${purpose} of ${owner}: ${done} of ${total}${left}`;
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [head, ...rows]) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    print(line.trimEnd());
  }
}

function ageInDays(sinceMs: number | null): string {
  return sinceMs === null ? '-' : String(Math.max(0, Math.floor((Date.now() - sinceMs) / DAY_MS)));
}
