import { readFileSync } from 'node:fs';

export const PROJECT = new URL('../../', import.meta.url);
export const SERVER_SCRIPT = new URL('dist/main.js', PROJECT);
/** What `npm run start:prod` gives Node.js before the script. */
export const SERVER_OPTIONS = startOptions();

/** A module of the built application, under the type of its source. */
export async function dist<Module>(path: string): Promise<Module> {
  const module: Module = await import(new URL(`dist/${path}`, PROJECT).href);
  return module;
}

function startOptions(): readonly string[] {
  interface Manifest {
    readonly scripts: { readonly 'start:prod': string };
  }
  const { scripts }: Manifest = JSON.parse(readFileSync(new URL('package.json', PROJECT), 'utf8'));
  return scripts['start:prod'].split(' ').slice(1, -1);
}
