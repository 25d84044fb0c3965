import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Line, OPEN_AHEAD } from '../../../workers/thread/line.ts';
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
  const ended = new Map<string, AttemptEnd>();
  const stops = new Map<string, Stop>();
  const steps = new Steps();
  const hold = (step: typeof holds, id: string) => (step === holds ? steps.begin(id) : undefined);
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
          return undefined;
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
      };
    },
    tell(beginning, ending) {
      started.push(...beginning);
      for (const { id, end } of ending) ended.set(id, end);
    },
  });
  const end = (id: string) => steps.end(id);
  return { line, started, ended, stops, steps, end, most: () => most };
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
  const { line, started, ended, end } = open(t, 1);
  const behind = Array.from({ length: OPEN_AHEAD + 5 }, (_, i) => `job ${i}`);
  const batch = line.add(jobs('long', ...behind));
  await turn();
  assert.equal(ended.size, 0);
  t.mock.timers.tick(STALLED_MS);
  await turn();
  assert.deepEqual(
    [...ended],
    behind.map((id) => [id, STALLED_END]),
  );
  assert.deepEqual(started, ['long']);
  await end('long');
  await batch;
});

test('attempts are opened ahead of those that run, up to a bound', async (t) => {
  const { line, steps } = open(t, 2, { holds: 'open' });
  const ids = Array.from({ length: OPEN_AHEAD + 10 }, (_, i) => `job ${i}`);
  const batch = line.add(jobs(...ids));
  await turn();
  assert.equal(steps.ids.length, OPEN_AHEAD + 2);
  line.abort(ids, 'shutdown');
  for (const id of steps.ids) await steps.end(id);
  await batch;
});

test('a job that is being settled occupies no slot', async (t) => {
  const { line, started, ended, end } = open(t, 1, { holds: 'settle' });
  const batch = line.add(jobs('a', 'b'));
  await turn();
  assert.deepEqual(started, ['a', 'b']);
  assert.deepEqual([...ended], []);
  await end('b');
  assert.deepEqual([...ended.keys()], ['b']);
  await end('a');
  await batch;
});

test('an abort reaches a running job and hands back those that wait, opened or not', async (t) => {
  const { line, started, ended, stops, end } = open(t, 1);
  const ids = Array.from({ length: OPEN_AHEAD }, (_, i) => `job ${i}`);
  const batch = line.add(jobs('runs', 'ready', ...ids, 'waits'));
  await turn();
  line.abort(['runs', 'ready', 'waits'], 'revoked');
  await turn();
  assert.equal(stops.get('runs')!.signal.reason, 'revoked');
  assert.deepEqual([...ended.keys()], ['ready', 'waits']);
  assert.deepEqual(started, ['runs']);
  line.abort(ids, 'shutdown');
  await end('runs');
  await batch;
});
