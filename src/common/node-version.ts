const REQUIRED = [24, 11] as const;

/** What to do about a Node.js of this version, or `undefined` when it is new enough. */
export function nodeVersionFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [requiredMajor, requiredMinor] = REQUIRED;
  if (major > requiredMajor || (major === requiredMajor && minor >= requiredMinor)) return undefined;
  return `Node.js ${version} is too old, ${REQUIRED.join('.')} or newer is needed: use \`npm run\`, which finds the one in node_modules`;
}

/** Loads and runs a program, unless this Node.js is too old even to load what it imports. */
export async function runOnSupportedNode(program: () => Promise<void>): Promise<void> {
  const fault = nodeVersionFault(process.versions.node);
  if (fault === undefined) return program();
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
}
