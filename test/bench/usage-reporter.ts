/**
 * Loaded into a server's process beside it and without its knowledge, to tell what that process uses.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { serveCalls } from './child.ts';

const SAMPLING_INTERVAL_MICROS = 200;

const session = new Session();
const api = { cpuMicros, rssMib, startProfile, stopProfile };
export type UsageApi = typeof api;
serveCalls(api);

/** User and system time of every thread since the process started. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function rssMib(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

async function startProfile(): Promise<void> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_MICROS });
  await session.post('Profiler.start');
}

async function stopProfile(file: string): Promise<void> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
}
