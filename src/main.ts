import { runOnSupportedNode } from './common/node-version.js';
import { hideWebCryptoWarnings } from './common/web-crypto-warnings.js';
import { Hangups } from './hangups.js';

const hangups = Hangups.take();
hideWebCryptoWarnings();
await runOnSupportedNode(async () => {
  const { startServer } = await import('./server.js');
  await startServer(hangups);
});
