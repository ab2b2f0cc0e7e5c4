import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of vectors that stays outside of the project: all its groups, or none where the folder is absent. */
export interface WycheproofFile<Group> {
  readonly isPresent: boolean;
  readonly groups: readonly Group[];
}

/** Reads a file of `../shared/vectors` (C2SP/wycheproof at commit dac1dd4). */
export function readWycheproof<Group>(name: string): WycheproofFile<Group> {
  const file = join(import.meta.dirname, '../../../shared/vectors', name);
  if (!existsSync(file)) return { isPresent: false, groups: [] };
  const { testGroups }: { testGroups: Group[] } = JSON.parse(readFileSync(file, 'utf8'));
  return { isPresent: true, groups: testGroups };
}
