/**
 * A task that logs and reports without end delays no other thread's job and costs little memory.
 */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { stretched } from '../../support/patience.ts';
import { Signals } from '../../support/signals.ts';
import { NO_DATABASE, openWorker, type WorkerBench } from '../../support/threads/worker.ts';
import type { FromThread } from '../../../workers/protocol.ts';
import { Reports } from '../../../workers/thread/reports.ts';

const CALLS = 300_000;

async function flood(bench: WorkerBench): Promise<{ lines: number; dropped: number }> {
  const id = await bench.add('flood', { calls: CALLS });
  const end = bench.jobEvent(id, 'job.succeeded');
  let isOver = false;
  void end.then(() => (isOver = true));
  while (!isOver) await bench.jobEvent(await bench.add('echo', { word: 'x' }), 'job.succeeded');
  const told = bench.told.seen.flatMap((one) =>
    one.event === 'job.log' && one.jobId === id ? [one.fields] : [],
  );
  const dropped = told.find((fields) => 'dropped' in fields)?.['dropped'];
  return { lines: told.length - Number(dropped !== undefined), dropped: Number(dropped ?? 0) };
}

test('300,000 lines and values delay no other thread by 100 ms and cost at most 20 MB', async (t) => {
  const bench = await openWorker(t, NO_DATABASE, { workerThreads: 2 });
  // The first flood also grows the heap of its thread.
  await flood(bench);
  const before = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let most = before;
  const looking = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const { lines, dropped } = await flood(bench);
  clearInterval(looking);
  delay.disable();
  assert.equal(lines + dropped, CALLS);
  assert.ok(lines >= 100, `${lines} lines`);
  assert.ok(lines < 1000, `${lines} lines`);
  assert.ok(delay.max / 1e6 < stretched(100), `${delay.max / 1e6} ms`);
  assert.ok(most - before < 20 * 2 ** 20, `${(most - before) / 2 ** 20} MB`);
});

test('300,000 lines that a task writes to the console do not reach the main thread', async (t) => {
  const bench = await openWorker(t, NO_DATABASE, { workerThreads: 2 });
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  const heard = new Signals<string>();
  t.mock.method(stdout, 'write', (chunk: Uint8Array | string) => {
    const text = Buffer.from(chunk).toString();
    if (!/^shout |lines of a thread/.test(text)) return write(chunk);
    heard.note(text);
    return true;
  });
  await bench.add('shout', { calls: CALLS });
  const told = /(\d+) lines of a thread were dropped/;
  const dropped = await heard.until(() => told.exec(heard.seen.at(-1) ?? '')?.[1]);
  const lines = heard.seen.join('').match(/^shout /gm)?.length ?? 0;
  assert.equal(lines + Number(dropped), CALLS);
  assert.ok(lines >= 100 && lines < 1000, `${lines} lines`);
});

test('progress is told at once, then the newest value at the end', () => {
  const told: FromThread[] = [];
  const reports = new Reports({ id: 'j', task: 't' }, (message) => told.push(message));
  for (let value = 0; value < 1000; value++) reports.progress(value / 1000, `note ${value}`);
  reports.end();
  const values = told.map((message) => message.type === 'progress' && message.value);
  assert.deepEqual([values[0], values.at(-1)], [0, 0.999]);
  assert.ok(values.length < 100);
});

test('progress that is no number is not told, and another is told as the nearest from 0 to 1', () => {
  const told: unknown[] = [];
  for (const value of [Number.NaN, '1', null, 5n, -1, 7]) {
    const reports = new Reports({ id: 'j', task: 't' }, (message) => told.push(message));
    reports.progress(value, undefined);
    reports.end();
  }
  const progress = { type: 'progress', id: 'j', note: null };
  assert.deepEqual(told, [
    { ...progress, value: 0 },
    { ...progress, value: 1 },
  ]);
});

test('limits that are moved 10,000 times are moved by the whole of it', () => {
  const told: FromThread[] = [];
  const reports = new Reports({ id: 'j', task: 't' }, (message) => told.push(message));
  for (let call = 0; call < 10_000; call++) reports.extend(2);
  reports.end();
  const sum = told.reduce((all, one) => all + (one.type === 'extended' ? one.ms : 0), 0);
  assert.equal(sum, 20_000);
  assert.ok(told.length < 1000);
});
