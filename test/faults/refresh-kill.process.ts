/**
 * Imported before the server of the build in the working directory: kills the process once the first use of a refresh
 * token is committed and before anything of its answer is made.
 */
import { pathToFileURL } from 'node:url';

const { RefreshTokens } =
  await dist<typeof import('../../src/auth/refresh-tokens.js')>('auth/refresh-tokens.js');
const { SessionsService } =
  await dist<typeof import('../../src/auth/sessions.service.js')>('auth/sessions.service.js');
const { redeem } = Object.getOwnPropertyDescriptors(RefreshTokens.prototype);
const { refresh } = Object.getOwnPropertyDescriptors(SessionsService.prototype);
let isFirstUse = false;

RefreshTokens.prototype.redeem = async function (...args) {
  const redemption = await redeem.value?.apply(this, args);
  isFirstUse = redemption?.use === 'first';
  return redemption;
};

SessionsService.prototype.refresh = async function (...args) {
  const granted = await refresh.value?.apply(this, args);
  if (isFirstUse) process.kill(process.pid, 'SIGKILL');
  if (!granted) throw new Error('there is nothing to refresh');
  return granted;
};

async function dist<Module>(name: string): Promise<Module> {
  return (await import(pathToFileURL(`${process.cwd()}/dist/${name}`).href)) as Module;
}
