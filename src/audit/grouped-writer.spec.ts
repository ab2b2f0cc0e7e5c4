import { describe, expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GroupedWriter } from './grouped-writer.js';

function newWriter(write: (items: readonly string[]) => Promise<void> = () => Promise.resolve()) {
  const groups: string[][] = [];
  const writer = new GroupedWriter<string>((items) => {
    groups.push([...items]);
    return write(items);
  });
  return { groups, writer };
}

describe('GroupedWriter', () => {
  it('writes what comes in this turn of the event loop and the next in one group', async () => {
    const { groups, writer } = newWriter();
    const first = [writer.add('a'), writer.add('b')];
    await nextTurn();
    await Promise.all([...first, writer.add('c')]);
    expect(groups).toEqual([['a', 'b', 'c']]);
  });

  it('gathers the next group while one is written, and in the turn after it', async () => {
    const { promise: isWritten, resolve: finish } = Promise.withResolvers<void>();
    const { groups, writer } = newWriter(() => isWritten);
    const first = writer.add('a');
    while (groups.length === 0) await nextTurn();
    const second = writer.add('b');
    finish();
    await first;
    const third = writer.add('c');
    await Promise.all([second, third]);
    expect(groups).toEqual([['a'], ['b', 'c']]);
  });

  it('tells all of a group that it could not be written, and writes the next', async () => {
    const { writer } = newWriter((items) =>
      items.includes('a') ? Promise.reject(new Error('disk full')) : Promise.resolve(),
    );
    const results = await Promise.allSettled([writer.add('a'), writer.add('b')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(writer.add('c')).resolves.toBeUndefined();
  });

  it('writes at most 256 items in one go', async () => {
    const { groups, writer } = newWriter();
    await Promise.all(Array.from({ length: 300 }, (_, index) => writer.add(String(index))));
    expect(groups.map(({ length }) => length)).toEqual([256, 44]);
  });
});
