/** `node test/bench/crypto.ts` after `npm run build`: the part `crypto` of the benchmark alone, with `--json` as JSON. */
import { cryptoTargets, measureCrypto, renderCrypto } from './measure-crypto.ts';
import { renderTargets } from './report.ts';

const result = await measureCrypto();
const targets = cryptoTargets(result);
process.stdout.write(
  process.argv.includes('--json')
    ? `${JSON.stringify({ crypto: result, targets })}\n`
    : `${renderCrypto(result)}\n\n${renderTargets(targets)}\n`,
);
