import { describe, expect, it } from '@jest/globals';
import { ProgressLine } from './progress-line.js';

class FakeOutput {
  text = '';

  constructor(
    readonly isTTY: boolean,
    public columns: number,
  ) {}

  write(text: string): boolean {
    this.text += text;
    return true;
  }

  /** What a terminal shows last in its line. */
  get shown(): string {
    return this.text.split('\r\u001B[2K').at(-1) ?? '';
  }
}

const half = { done: 12_300, total: 27_000, unit: 'keys' };
const long = { ...half, unit: 'keys under user-kek of 01a20d3c-36ca-7b3a-b645-199ab82a7da2' };

describe('a progress line', () => {
  it('is a bar on a terminal, written over in its line', () => {
    const output = new FakeOutput(true, 80);
    const line = new ProgressLine(output);
    line.update({ ...half, done: 0 });
    expect(output.shown).toBe(`[${'-'.repeat(22)}] 0 %  0 of 27 000 keys`);
    line.update(half);
    expect(output.shown).toBe(`[${'#'.repeat(10)}${'-'.repeat(12)}] 45 %  12 300 of 27 000 keys`);
    line.update({ ...half, done: 1_234_567, total: 1_234_567 });
    expect(output.shown).toBe(`[${'#'.repeat(22)}] 100 %  1 234 567 of 1 234 567 keys`);
    expect(output.text).not.toContain('\n');
    line.clear();
    expect(output.shown).toBe('');
    line.print('done');
    expect(output.shown).toBe('done\n');
  });

  it.each([1, 2, 10, 40, 60, 80, 81, 200])('is shorter than a terminal of %i columns', (columns) => {
    const output = new FakeOutput(true, columns);
    new ProgressLine(output).update(long);
    expect(output.shown.length).toBeLessThanOrEqual(Math.max(1, columns - 1));
    expect(output.shown.includes('01a20d3c-36ca-7b3a-b645-199ab82a7da2')).toBe(columns === 200);
  });

  it('follows a terminal that changes its width, and takes one without a width for 80 columns', () => {
    const output = new FakeOutput(true, 200);
    const line = new ProgressLine(output);
    for (const columns of [200, 40, 0]) {
      output.columns = columns;
      line.update(long);
      expect(output.shown.length).toBeLessThan(columns || 80);
    }
  });

  it('shows what came from the database, and lets it do nothing to the terminal', () => {
    const output = new FakeOutput(true, 80);
    const line = new ProgressLine(output);
    line.update({ ...half, unit: 'under \u001B[2Jx' });
    expect(output.shown).toContain('of 27 000 under \uFFFD[2Jx');
    line.print('x stays under key \rok');
    expect(output.shown).toBe('x stays under key \uFFFDok\n');
  });

  it('is full where nothing was to do, and never over', () => {
    const output = new FakeOutput(true, 80);
    const line = new ProgressLine(output);
    line.update({ done: 0, total: 0, unit: 'keys' });
    expect(output.shown).toContain('] 100 %  0 of 0 keys');
    line.update({ done: 3, total: 2, unit: 'keys' });
    expect(output.shown).toBe(`[${'#'.repeat(22)}] 100 %  3 of 2 keys`);
  });

  it('is a line every two seconds in a file or pipe, without a bar', () => {
    const output = new FakeOutput(false, 0);
    let nowMs = 5;
    const line = new ProgressLine(output, () => nowMs);
    for (; nowMs < 6_000; nowMs += 100) line.update(half);
    line.update({ ...half, done: half.total });
    line.print('done');
    expect(output.text).toBe('45 %  12 300 of 27 000 keys\n45 %  12 300 of 27 000 keys\ndone\n');
  });
});
