import { runOnSupportedNode } from '../common/node-version.js';

await runOnSupportedNode(async () => {
  const { runCli } = await import('./program.js');
  await runCli(process.argv);
});
