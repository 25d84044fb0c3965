import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line } from '../../../workers/thread/line.ts';
import { STALLED, type AttemptEnd, type ThreadJob } from '../../../workers/protocol.ts';
import type { Stop } from '../../../workers/thread/stop.ts';

const jobs = (...ids: string[]): ThreadJob[] =>
  ids.map((id) => ({
    id,
    task: 'test',
    queue: 'default',
    payload: '{}',
    headers: {},
    attempts: 0,
    createdAtMs: 0,
  }));

const DONE: AttemptEnd = { kind: 'succeeded', result: 'null', durationMs: 0 };

/** A line whose jobs end when they are told to. */
function open(concurrency: number) {
  const started: string[] = [];
  const ended = new Map<string, AttemptEnd>();
  const stops = new Map<string, Stop>();
  const ends = new Map<string, () => void>();
  let running = 0;
  let most = 0;
  const line = new Line({
    concurrency,
    async run({ id }, stop) {
      most = Math.max(most, ++running);
      stops.set(id, stop);
      await new Promise<void>((resolve) => ends.set(id, resolve));
      running--;
      return DONE;
    },
    tell(beginning, ending) {
      started.push(...beginning);
      for (const { id, end } of ending) ended.set(id, end);
    },
  });
  return { line, started, ended, stops, end: (id: string) => ends.get(id)!(), most: () => most };
}

test('batches share the concurrency of their thread, and each resolves with its last job', async () => {
  const { line, started, end, most } = open(2);
  const first = line.add(jobs('a', 'b', 'c'));
  const second = line.add(jobs('d'));
  assert.deepEqual(started, ['a', 'b']);
  end('a');
  await new Promise(setImmediate);
  assert.deepEqual(started, ['a', 'b', 'c']);
  end('b');
  await new Promise(setImmediate);
  assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  end('c');
  await first;
  end('d');
  await second;
  assert.equal(most(), 2);
});

test('jobs behind long ones are handed back, and those that run go on', async () => {
  const { line, started, ended, end } = open(1);
  const batch = line.add(jobs('long', 'held', 'back'));
  await new Promise((resolve) => setTimeout(resolve, 120));
  const released = { kind: 'released', delayMs: 0, reason: STALLED };
  assert.deepEqual(
    [...ended],
    [
      ['held', released],
      ['back', released],
    ],
  );
  assert.deepEqual(started, ['long']);
  end('long');
  await batch;
});

test('an abort reaches a running job and hands back a waiting one', async () => {
  const { line, ended, stops, end } = open(1);
  const batch = line.add(jobs('runs', 'waits', 'other'));
  line.abort(['runs', 'waits'], 'revoked');
  await new Promise(setImmediate);
  assert.equal(stops.get('runs')!.signal.reason, 'revoked');
  assert.deepEqual([...ended.keys()], ['waits']);
  end('runs');
  await new Promise(setImmediate);
  end('other');
  await batch;
});
