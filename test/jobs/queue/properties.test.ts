import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Broker } from '../../../jobs/queue/index.ts';
import { request, short, testQueue, uuid, type TestQueue } from '../../support/queue.ts';
import { step } from '../../support/rows.ts';

const RUNS = 25;
const WORKERS = ['v', 'w'];
/** Jobs a worker of these histories may hold. */
const LIMIT = 3;

/** Every place an id can be in, with the ids that are there. */
async function places(queue: TestQueue): Promise<Map<string, string[]>> {
  const state = await queue.read();
  const found = new Map<string, string[]>();
  const note = (id: string, place: string) => found.set(id, [...(found.get(id) ?? []), place]);
  for (const [key, value] of Object.entries(state)) {
    if (key.startsWith('wait:')) for (const id of value as string[]) note(id, 'pending');
    if (key.startsWith('lease:')) for (const id of value as string[]) note(id, 'active');
    if (key === 'delayed')
      for (const member of Object.keys(value as object)) note(member.slice(1), 'delayed');
    if (key === 'failed') for (const id of Object.keys(value as object)) note(id, 'failed');
    if (key === 'done') for (const id of value as string[]) note(id, 'succeeded');
  }
  return found;
}

/** A worker without a process: it remembers its numbers and never more than what it was told. */
class Puppet {
  readonly name: string;
  readonly #broker: Broker;
  #seq = 0;

  constructor(broker: Broker, name: string) {
    this.#broker = broker;
    this.name = name;
  }

  async register(): Promise<void> {
    await this.#broker.renew(0, uuid(this.name), 60_000, ['main']);
  }

  async held(): Promise<string[]> {
    return (
      await this.#broker.redis.smembers(this.#broker.key(0, `lease:${uuid(this.name)}`))
    ).toSorted();
  }

  /** Settles the first job it holds in one way, and claims with the room it has. */
  async round(outcome: 'succeeded' | 'back' | 'later' | 'failed' | 'none'): Promise<void> {
    const held = await this.held();
    const id = outcome === 'none' ? undefined : held[0];
    const kept = held.length - (id === undefined ? 0 : 1);
    await step(this.#broker, {
      worker: uuid(this.name),
      seq: ++this.#seq,
      free: LIMIT - kept,
      known: kept,
      succeeded: id !== undefined && outcome === 'succeeded' ? [id, 'r1{"d":"00"}\n1'] : [],
      back:
        id !== undefined && (outcome === 'back' || outcome === 'later')
          ? [id, outcome === 'back' ? 0 : 3_600_000, '']
          : [],
      failed: id !== undefined && outcome === 'failed' ? [id, '{"code":"BROKEN"}'] : [],
    });
  }

  async leave(): Promise<void> {
    await this.#broker.leave(0, uuid(this.name));
    await this.register();
  }
}

type Action =
  | { do: 'enqueue'; count: number; priority: number; delayMs: number }
  | { do: 'round'; worker: number; outcome: 'succeeded' | 'back' | 'later' | 'failed' | 'none' }
  | { do: 'leave'; worker: number }
  | { do: 'die'; worker: number };

const worker = fc.nat(WORKERS.length - 1);
const ACTION: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('enqueue' as const),
    count: fc.integer({ min: 1, max: 5 }),
    priority: fc.nat(9),
    delayMs: fc.constantFrom(0, 0, 0, 3_600_000),
  }),
  fc.record({
    do: fc.constant('round' as const),
    worker,
    outcome: fc.constantFrom('succeeded', 'back', 'later', 'failed', 'none'),
  }),
  fc.record({ do: fc.constant('leave' as const), worker }),
  fc.record({ do: fc.constant('die' as const), worker }),
);

test('in any history every job is in exactly one place, and no worker holds more than it can', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(ACTION, { minLength: 10, maxLength: 40 }), async (history) => {
      const queue = testQueue(t);
      const puppets = WORKERS.map((name) => new Puppet(queue.broker, name));
      for (const puppet of puppets) await puppet.register();
      const added: string[] = [];
      for (const action of history) {
        if (action.do === 'enqueue') {
          const { count, priority, delayMs } = action;
          const names = Array.from({ length: count }, (_, i) => `p${added.length + i}`);
          await queue.broker.enqueue(
            0,
            names.map((name) => request(name, { priority, delayMs })),
          );
          added.push(...names);
        } else if (action.do === 'die') {
          const puppet = puppets[action.worker]!;
          await queue.redis.zadd(queue.broker.key(0, 'workers'), '1', uuid(puppet.name));
          await queue.broker.reap(0);
          puppets[action.worker] = new Puppet(queue.broker, puppet.name);
          await puppet.register();
        } else if (action.do === 'leave') {
          await puppets[action.worker]!.leave();
          puppets[action.worker] = new Puppet(queue.broker, WORKERS[action.worker]!);
        } else {
          await puppets[action.worker]!.round(action.outcome);
        }
        const found = await places(queue);
        assert.deepEqual([...found.keys()].toSorted(), added.map((name) => `@${name}`).toSorted());
        for (const [id, where] of found) assert.equal(where.length, 1, `${id}: ${where.join()}`);
        for (const puppet of puppets) assert.ok((await puppet.held()).length <= LIMIT);
      }
      await queue.drop();
    }),
    { numRuns: RUNS },
  );
});

test('jobs leave by priority and, within one, in the order they came; each sixteenth round begins at the bottom', async (t) => {
  const arrivals = fc.array(fc.nat(9), { minLength: 1, maxLength: 40 });
  const first = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(arrivals, first, async (priorities, seq) => {
      const queue = testQueue(t);
      await new Puppet(queue.broker, 'w').register();
      await queue.broker.enqueue(
        0,
        priorities.map((priority, i) => request(`o${i}`, { priority })),
      );
      const waiting = priorities.map((priority, i) => ({ priority, id: `@o${i}` }));
      for (let round = seq; waiting.length > 0; round++) {
        const { claimed } = await step(queue.broker, { seq: round, free: 1, known: round - seq });
        const way = round % 16 === 0 ? -1 : 1;
        const expected = waiting.toSorted((a, b) => way * (b.priority - a.priority))[0]!;
        assert.deepEqual(short(claimed.map(({ id }) => id)), [expected.id]);
        waiting.splice(waiting.indexOf(expected), 1);
      }
      await queue.drop();
    }),
    { numRuns: RUNS },
  );
});

test('no delayed job is given out before its time, and none stays behind after it', async (t) => {
  const delays = fc.array(fc.integer({ min: 60_000, max: 600_000 }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 0, max: 660_000 }), async (delaysMs, elapsedMs) => {
      const queue = testQueue(t);
      const later = queue.another({ clockOffsetMs: elapsedMs });
      await new Puppet(queue.broker, 'w').register();
      const fromMs = Date.now();
      await queue.broker.enqueue(
        0,
        delaysMs.map((delayMs, i) => request(`d${i}`, { delayMs })),
      );
      const { claimed, nextDueMs } = await step(later, { free: 100 });
      const slackMs = Date.now() - fromMs;
      const given = new Set(short(claimed.map(({ id }) => id)));
      const left = delaysMs.filter((_, i) => !given.has(`@d${i}`));
      delaysMs.forEach((delayMs, i) => {
        if (delayMs > elapsedMs + slackMs) assert.ok(!given.has(`@d${i}`), `d${i} came early`);
        if (delayMs < elapsedMs) assert.ok(given.has(`@d${i}`), `d${i} stayed behind`);
      });
      const earliest = left.length === 0 ? undefined : Math.min(...left);
      assert.equal(nextDueMs === undefined, earliest === undefined);
      if (nextDueMs !== undefined)
        assert.ok(Math.abs(nextDueMs - fromMs - earliest!) <= slackMs + 1);
      await queue.drop();
    }),
    { numRuns: RUNS },
  );
});

test('handing over and claiming at the same time never gives a worker more than its limit', async (t) => {
  const queue = testQueue(t);
  const other = queue.another();
  const puppet = new Puppet(queue.broker, 'w');
  await puppet.register();
  for (let turn = 0; turn < 60; turn++) {
    const jobs = Array.from({ length: 5 }, (_, i) => request(`h${turn}-${i}`));
    await Promise.all([puppet.round('none'), ...jobs.map((job) => other.enqueue(0, [job]))]);
    // Until all have ended: then it is idle again, and the next jobs are handed to it.
    for (let held = LIMIT; held > 0; await puppet.round('succeeded')) {
      held = (await puppet.held()).length;
      assert.ok(held <= LIMIT, `${held} held`);
    }
  }
  assert.equal((await places(queue)).size, 300);
});
