import { runOnSupportedNode } from './common/node-version.js';

await runOnSupportedNode(async () => {
  const { startServer } = await import('./server.js');
  await startServer();
});
