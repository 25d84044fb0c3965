import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { Endings } from '../../../workers/main/endings.ts';
import { ThreadPool, type PoolOptions } from '../../../workers/main/pool.ts';
import type { AttemptEnd, ThreadJob } from '../../../workers/protocol.ts';
import { testConfig } from '../../support/config.ts';
import { Signals } from '../../support/signals.ts';

const module = new URL('../../support/threads/test-thread.js', import.meta.url);

type PoolEvent =
  | { type: 'ended'; id: string; outcome: AttemptEnd }
  | { type: 'died'; ids: string[]; reason: string }
  | { type: 'progress'; id: string; value: number; note: string | null }
  | { type: 'unstarted'; ids: string[] }
  | { type: 'extended'; id: string; ms: number }
  | { type: 'replaced'; reason: string; jobs: number }
  | { type: 'log'; id: string; message: string };

function open(t: TestContext, options: Partial<PoolOptions> = {}) {
  const events = new Signals<PoolEvent>();
  const pool = new ThreadPool(
    { config: testConfig(), threads: 2, warm: true, module, endings: new Endings(), ...options },
    {
      started: () => undefined,
      handled: () => undefined,
      ended: (id, outcome) => events.note({ type: 'ended', id, outcome }),
      died: (ids, { reason }) => events.note({ type: 'died', ids, reason }),
      unstarted: (ids) => events.note({ type: 'unstarted', ids }),
      deferred: () => undefined,
      stuck: () => undefined,
      extended: (id, ms) => events.note({ type: 'extended', id, ms }),
      replaced: (reason, jobs) => events.note({ type: 'replaced', reason, jobs }),
      progress: (id, value, note) => events.note({ type: 'progress', id, value, note }),
      log: (id, _task, message) => events.note({ type: 'log', id, message }),
    },
  );
  t.after(() => pool.close());
  const said = (id: string, message: string) =>
    events.first((event) => event.type === 'log' && event.id === id && event.message === message);
  const outcome = (id: string): Promise<AttemptEnd> =>
    events.until(() => {
      const ended = events.seen.find((event) => event.type === 'ended' && event.id === id);
      return ended?.type === 'ended' ? ended.outcome : undefined;
    });
  const dead = () => events.seen.flatMap((event) => (event.type === 'died' ? event.ids : []));
  return { pool, events, said, outcome, dead };
}

function job(task: string, payload: object = {}): ThreadJob {
  const text = JSON.stringify(payload);
  const about = { id: randomUUID(), task: `test.${task}`, queue: 'default' };
  return { ...about, payload: text, headers: {}, attempts: 0, createdAtMs: Date.now() };
}

test('every job of a batch is told on its own, as soon as it ends', async (t) => {
  const { pool, said, outcome } = open(t);
  const [slow, quick] = [job('obey'), job('echo', { word: 'quick' })];
  pool.run([slow, quick]);
  const ended = await outcome(quick.id);
  assert.equal(ended.kind === 'succeeded' && ended.result, '"quick"');
  assert.deepEqual([pool.runs(quick.id), pool.runs(slow.id)], [false, true]);
  await said(slow.id, 'waiting');
  pool.abort([slow.id], 'shutdown');
  await outcome(slow.id);
});

test('progress and log lines are relayed with the id of their job', async (t) => {
  const { pool, events, outcome } = open(t);
  const obeying = job('obey');
  pool.run([obeying]);
  const progress = await events.first(({ type }) => type === 'progress');
  const expected = { type: 'progress', id: obeying.id, value: 0.5, note: 'half way' };
  assert.deepEqual(progress, expected);
  pool.abort([obeying.id], 'lease lost');
  assert.deepEqual(await outcome(obeying.id), {
    kind: 'released',
    delayMs: 0,
    reason: 'lease lost',
  });
});

test('a job is told to stop at its soft limit, and tried again as long as it has retries', async (t) => {
  const { pool, said, outcome } = open(t, { threads: 1 });
  const [first, last] = [job('hurry'), { ...job('hurry'), attempts: 1 }];
  pool.run([first, last]);
  for (const { id } of [first, last]) await said(id, 'aborted: soft time limit');
  const outcomes = await Promise.all([first, last].map(({ id }) => outcome(id)));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['retry', 'failed'],
  );
  for (const ended of outcomes) assert.equal('code' in ended && ended.code, 'TASK_TIME_LIMIT');
});

test('a thread that dies takes its own jobs with it and no others', async (t) => {
  // One that ends by itself and one that is ended, in one pool, which goes on.
  const { pool, events, said, outcome, dead } = open(t);
  for (const how of ['exit', 'loop']) {
    await t.test(how, async () => {
      const [one, other, deadly] = [job('obey'), job('obey'), job('die', { how })];
      for (const waiting of [one, other]) pool.run([waiting]);
      await Promise.all([said(one.id, 'waiting'), said(other.id, 'waiting')]);
      pool.run([deadly]);
      if (how === 'loop') {
        await said(deadly.id, 'dying');
        assert.equal(pool.terminate(deadly.id), true);
        assert.equal(pool.terminate(deadly.id), false, 'it is ending already');
      }
      const own = [one.id, other.id, deadly.id];
      const victims = () => dead().filter((id) => own.includes(id));
      await events.until(() => (victims().length >= 2 ? true : undefined));
      const spared = victims().includes(one.id) ? other : one;
      const taken = spared === one ? other : one;
      assert.deepEqual(new Set(victims()), new Set([deadly.id, taken.id]));
      assert.deepEqual([pool.runs(spared.id), pool.runs(taken.id)], [true, false]);

      const later = Array.from({ length: 6 }, () => job('echo', { word: 'later' }));
      for (const next of later) pool.run([next]);
      for (const { id } of later) assert.equal((await outcome(id)).kind, 'succeeded');
      pool.abort([spared.id], 'shutdown');
      assert.equal((await outcome(spared.id)).kind, 'released');
    });
  }
});

test('all that was lost with a thread is told as one death', async (t) => {
  const { pool, events, said, dead } = open(t, { threads: 1 });
  const neighbours = [job('obey'), job('obey'), job('obey')];
  for (const neighbour of neighbours) pool.run([neighbour]);
  await Promise.all(neighbours.map(({ id }) => said(id, 'waiting')));
  const deadly = job('die', { how: 'exit' });
  pool.run([deadly]);
  await events.first(({ type }) => type === 'died');
  assert.deepEqual(new Set(dead()), new Set([deadly.id, ...neighbours.map(({ id }) => id)]));
  await pool.close();
  assert.equal(events.seen.filter(({ type }) => type === 'died').length, 1);
});

test('what a thread said before it died is heard', async (t) => {
  const { pool, events, dead } = open(t, { threads: 1 });
  for (let round = 0; round < 3; round++) {
    const quick = Array.from({ length: 5 }, () => job('echo', { word: 'said' }));
    const deadly = job('die', { how: 'throw' });
    pool.run([...quick, deadly]);
    await events.until(() => (dead().includes(deadly.id) ? true : undefined));
    const ended = events.seen.flatMap((event) => (event.type === 'ended' ? [event.id] : []));
    for (const { id } of quick) assert.ok(ended.includes(id), `round ${round}: ${id} was lost`);
    assert.equal(dead().length, round + 1);
  }
});

test('a job whose thread was killed over and over does not keep the pool from working', async (t) => {
  const { pool, events, outcome, dead } = open(t, { threads: 1, warm: false });
  for (let round = 1; round <= 4; round++) {
    pool.run([job('die', { how: 'exit' })]);
    await events.until(() => (dead().length === round ? true : undefined));
  }
  const last = job('echo', { word: 'still here' });
  pool.run([last]);
  assert.equal((await outcome(last.id)).kind, 'succeeded');
});

test('a thread cannot be ended amid the synchronous loading of an ES module, which would abort the process', async (t) => {
  const { pool, outcome } = open(t, { threads: 1 });
  const loading = job('require');
  pool.run([loading]);
  const ended = await outcome(loading.id);
  assert.equal(ended.kind === 'succeeded' && ended.result, '"ERR_REQUIRE_ESM"');
});
