import { describe, expect, it } from '@jest/globals';
import { nodeVersionFault } from './node-version.js';

describe('nodeVersionFault', () => {
  it.each(['24.11.0', '24.12.1', '25.0.0', '26.10.0', '100.0.0'])('finds none in %s', (version) => {
    expect(nodeVersionFault(version)).toBeUndefined();
  });

  it.each(['24.10.9', '24.9.0', '22.21.0', '20.19.5', '4.99.0'])(
    'says in one line what to do about %s',
    (version) => {
      const fault = nodeVersionFault(version);
      expect(fault).toContain(`Node.js ${version} is too old, 24.11 or newer is needed`);
      expect(fault).toContain('npm run');
      expect(fault).not.toContain('\n');
    },
  );
});
