import { describe, expect, it } from '@jest/globals';
import { StartError } from '../common/start-error.js';
import { runWith } from './run-with.js';

/** Longer than any variable that Linux takes, and than all of them together elsewhere: spawn throws. */
const TOO_LONG = 'x'.repeat(40_000_000);

describe('runWith', () => {
  it('says the same of a command that the system refuses at once as of one that fails to start', async () => {
    const refused = new StartError(`${process.execPath} cannot be started`);
    await expect(runWith({ A: TOO_LONG }, [process.execPath, '-v'])).rejects.toEqual(refused);
    const missing = new StartError('no-such-program-here cannot be started');
    await expect(runWith({ A: 'b' }, ['no-such-program-here'])).rejects.toEqual(missing);
  });

  it('leaves no listener behind', async () => {
    const before = process.listenerCount('SIGTERM');
    await expect(runWith({ A: 'b' }, ['no-such-program-here'])).rejects.toThrow(StartError);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
