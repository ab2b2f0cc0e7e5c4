import { runOnSupportedNode } from '../common/node-version.js';
import { hideWebCryptoWarnings } from '../common/web-crypto-warnings.js';

hideWebCryptoWarnings();
await runOnSupportedNode(async () => {
  const { runCli } = await import('./program.js');
  await runCli(process.argv);
});
