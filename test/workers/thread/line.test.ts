import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MOST_TOGETHER } from '../../../workers/thread/grouped-attempts.ts';
import { Line, MAX_AHEAD_LENGTH } from '../../../workers/thread/line.ts';
import { STALLED, type AttemptEnd, type Ended, type ThreadJob } from '../../../workers/protocol.ts';
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

const DONE: AttemptEnd = { kind: 'succeeded', result: 'null' };
const STALLED_END = { kind: 'released', delayMs: 0, reason: STALLED };

/** How long no job ends before those that wait are handed back, in milliseconds. */
const STALLED_MS = 50;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Steps of jobs that last until they are told to end. */
class Steps {
  readonly #ends = new Map<string, () => void>();

  async begin(id: string): Promise<void> {
    await new Promise<void>((resolve) => this.#ends.set(id, resolve));
  }

  async end(id: string): Promise<void> {
    this.#ends.get(id)!();
    await turn();
  }

  get ids(): string[] {
    return [...this.#ends.keys()];
  }
}

/** A line whose handlers end when they are told to; so do opening and settling, if they are held. Its jobs stall when the test says so. */
function open(
  t: TestContext,
  concurrency: number,
  { holds = 'handle' }: { holds?: 'open' | 'handle' | 'settle' } = {},
) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const started: string[] = [];
  const handled: string[] = [];
  const ended = new Map<string, Ended>();
  const stops = new Map<string, Stop>();
  /** Handed back after they were opened. */
  const givenBack: string[] = [];
  const steps = new Steps();
  const hold = (step: typeof holds, id: string) => (step === holds ? steps.begin(id) : undefined);
  const released = (reason: string): AttemptEnd => ({ kind: 'released', delayMs: 0, reason });
  let running = 0;
  let most = 0;
  const line = new Line({
    concurrency,
    begin({ id }, stop) {
      stops.set(id, stop);
      return {
        ranMs: 1,
        async open() {
          await hold('open', id);
          return stop.reason && released(stop.reason);
        },
        async handle() {
          most = Math.max(most, ++running);
          await hold('handle', id);
          running--;
        },
        async settle() {
          await hold('settle', id);
          return DONE;
        },
        async giveBack(reason) {
          givenBack.push(id);
          return released(reason);
        },
      };
    },
    tell(moves) {
      started.push(...moves.started);
      handled.push(...moves.handled);
      for (const end of moves.ended) ended.set(end.id, end);
    },
  });
  const end = (id: string) => steps.end(id);
  return { line, started, handled, ended, givenBack, stops, steps, end, most: () => most };
}

test('batches share the concurrency of their thread, and each resolves with its last job', async (t) => {
  const { line, started, end, most } = open(t, 2);
  const first = line.add(jobs('a', 'b', 'c'));
  const second = line.add(jobs('d'));
  await turn();
  assert.deepEqual(started, ['a', 'b']);
  await end('a');
  assert.deepEqual(started, ['a', 'b', 'c']);
  await end('b');
  assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  await end('c');
  await first;
  await end('d');
  await second;
  assert.equal(most(), 2);
});

test('jobs behind long ones are handed back, opened or not, and those that run go on', async (t) => {
  const { line, started, ended, givenBack, end } = open(t, 1);
  const behind = Array.from({ length: MOST_TOGETHER + 5 }, (_, i) => `job ${i}`);
  const batch = line.add(jobs('long', ...behind));
  await turn();
  assert.equal(ended.size, 0);
  t.mock.timers.tick(STALLED_MS);
  await turn();
  assert.deepEqual([...ended.keys()].toSorted(), behind.toSorted());
  for (const id of behind)
    assert.deepEqual(ended.get(id), { id, end: STALLED_END, ranMs: undefined });
  assert.deepEqual(givenBack, behind.slice(0, MOST_TOGETHER));
  assert.deepEqual(started, ['long']);
  await end('long');
  assert.deepEqual(ended.get('long'), { id: 'long', end: DONE, ranMs: 1 });
  await batch;
});

test('attempts are opened ahead of those that run, up to a bound', async (t) => {
  const { line, steps } = open(t, 2, { holds: 'open' });
  const ids = Array.from({ length: MOST_TOGETHER + 10 }, (_, i) => `job ${i}`);
  const batch = line.add(jobs(...ids));
  await turn();
  assert.equal(steps.ids.length, MOST_TOGETHER + 2);
  line.abort(ids, 'shutdown');
  for (const id of steps.ids) await steps.end(id);
  await batch;
});

test('a large payload is opened when there is a slot for it, and what follows waits', async (t) => {
  const { line, steps, end } = open(t, 2, { holds: 'open' });
  const all = jobs('a', 'large', 'larger', 'b');
  for (const job of all.slice(1, 3)) job.payload = 'x'.repeat(MAX_AHEAD_LENGTH + 1);
  const batch = line.add(all);
  await turn();
  assert.deepEqual(steps.ids, ['a', 'large']);
  await end('a');
  assert.deepEqual(steps.ids, ['a', 'large', 'larger', 'b']);
  for (const id of steps.ids.slice(1)) await end(id);
  await batch;
});

test('a job that is being settled occupies no slot, and is told to have been handled', async (t) => {
  const { line, started, handled, ended, end } = open(t, 1, { holds: 'settle' });
  const batch = line.add(jobs('a', 'b'));
  await turn();
  assert.deepEqual(
    [started, handled],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  );
  assert.deepEqual([...ended], []);
  await end('b');
  assert.deepEqual([...ended.keys()], ['b']);
  await end('a');
  await batch;
});

test('a job that is settled at once is told only to have ended', async (t) => {
  const { line, handled, ended, end } = open(t, 1);
  const batch = line.add(jobs('a'));
  await turn();
  await end('a');
  await batch;
  assert.deepEqual([handled, [...ended.keys()]], [[], ['a']]);
});

test('an abort reaches a running job and hands back those that wait, opened or not', async (t) => {
  const { line, started, ended, givenBack, stops, end } = open(t, 1);
  const ids = Array.from({ length: MOST_TOGETHER }, (_, i) => `job ${i}`);
  const batch = line.add(jobs('runs', 'ready', ...ids, 'waits'));
  await turn();
  line.abort(['runs', 'ready', 'waits'], 'revoked');
  await turn();
  assert.equal(stops.get('runs')!.signal.reason, 'revoked');
  assert.deepEqual([...ended.keys()].toSorted(), ['ready', 'waits']);
  assert.deepEqual(givenBack, ['ready']);
  assert.deepEqual(started, ['runs']);
  line.abort(ids, 'shutdown');
  await end('runs');
  await batch;
});

test('an abort reaches a job that is being opened, which then does not run', async (t) => {
  const { line, started, ended, end } = open(t, 1, { holds: 'open' });
  const batch = line.add(jobs('a'));
  line.abort(['a'], 'revoked');
  await end('a');
  await batch;
  await turn();
  assert.deepEqual(ended.get('a')?.end, { kind: 'released', delayMs: 0, reason: 'revoked' });
  assert.deepEqual(started, []);
});

test('a higher concurrency starts jobs that are open, a lower one lets running ones go on', async (t) => {
  const { line, started, end } = open(t, 1);
  const batch = line.add(jobs('a', 'b', 'c'));
  await turn();
  line.concurrency = 2;
  assert.deepEqual(started, ['a', 'b']);
  line.concurrency = 1;
  await end('a');
  assert.deepEqual(started, ['a', 'b']);
  await end('b');
  assert.deepEqual(started, ['a', 'b', 'c']);
  await end('c');
  await batch;
});
