/**
 * What a thread writes to its streams is bounded, and whoever waits for a write goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bound, type Output } from '../../../workers/thread/output.ts';

interface TestOutput extends Output {
  readonly written: string[];
}

function boundedOutput(): TestOutput {
  const written: string[] = [];
  const output: TestOutput = {
    written,
    write(chunk, ...rest) {
      written.push(Buffer.from(chunk).toString());
      const done = rest.at(-1);
      if (typeof done === 'function') (done as () => void)();
      return false;
    },
  };
  bound(output);
  return output;
}

test('a hundred chunks pass, later ones are dropped and counted', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const output = boundedOutput();
  for (let n = 1; n <= 1000; n++) output.write(`line ${n}\n`);
  const { written } = output;
  const passed = written.length;
  assert.ok(passed >= 100 && passed < 200, `${passed}`);
  assert.deepEqual(written.slice(0, 2), ['line 1\n', 'line 2\n']);
  t.mock.timers.tick(1000);
  assert.match(written[passed]!, new RegExp(`^${1000 - passed} lines of a thread were dropped`));
  t.mock.timers.tick(10_000);
  assert.equal(written.length, passed + 1);
});

test('a long chunk is cut, text or bytes', () => {
  const output = boundedOutput();
  output.write('x'.repeat(100_000));
  output.write(Buffer.from('y'.repeat(100_000)), 'utf8');
  assert.deepEqual(output.written, ['x'.repeat(8192), 'y'.repeat(8192)]);
});

test('the callback of every chunk is called, and the answer is that of the stream', async () => {
  const output = boundedOutput();
  const writes = Array.from(
    { length: 300 },
    (_, n) =>
      new Promise<void>((resolve) => {
        output.write(`${n}`, 'utf8', resolve);
      }),
  );
  await Promise.all(writes);
  assert.equal(boundedOutput().write('x'), false);
});
