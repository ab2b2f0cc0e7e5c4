export const PROJECT = new URL('../../', import.meta.url);
export const SERVER_SCRIPT = new URL('dist/main.js', PROJECT);

/** A module of the built application, under the type of its source. */
export async function dist<Module>(path: string): Promise<Module> {
  const module: Module = await import(new URL(`dist/${path}`, PROJECT).href);
  return module;
}
