import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Puppet } from '../../support/queue/model/puppet.ts';
import { places, snapshot } from '../../support/queue/snapshot.ts';
import { request, short, testQueue, uuid } from '../../support/queue/scripts.ts';
import { step } from '../../support/stores/rows.ts';

const RUNS = 25;
const LEASE_MS = 60_000;
const QUEUES = ['red', 'green', 'blue'];

test('jobs leave by priority and, within one, in the order they came; each sixteenth round begins at the bottom', async (t) => {
  const arrival = fc.record({ queue: fc.constantFrom(...QUEUES), priority: fc.nat(9) });
  const arrivals = fc.array(arrival, { minLength: 1, maxLength: 40 });
  const served = fc.shuffledSubarray(QUEUES, { minLength: 1 });
  const first = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(arrivals, served, first, async (jobs, queues, seq) => {
      const queue = testQueue(t);
      await queue.broker.renew(0, uuid('w'), LEASE_MS, queues);
      await queue.broker.enqueue(
        0,
        jobs.map((job, i) => request(`o${i}`, job)),
      );
      const waiting = jobs
        .map((job, i) => ({ ...job, id: `@o${i}` }))
        .filter((job) => queues.includes(job.queue));
      const count = waiting.length;
      for (let turn = 0; turn < count; turn++) {
        const call = { seq: seq + turn, free: 1, known: turn, queues };
        const { claimed } = await step(queue.broker, call);
        const given = waiting.find(({ id }) => id === short(claimed[0]?.id));
        assert.ok(given, 'one that waits in a queue of the worker');
        const way = (seq + turn) % 16 === 0 ? -1 : 1;
        const expected = waiting
          .filter((job) => job.queue === given.queue)
          .toSorted((a, b) => way * (b.priority - a.priority))[0]!;
        assert.equal(given.id, expected.id);
        waiting.splice(waiting.indexOf(given), 1);
      }
      assert.deepEqual((await step(queue.broker, { seq: 90, free: 9, queues })).claimed, []);
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
      await queue.broker.renew(0, uuid('w'), LEASE_MS, QUEUES);
      const fromMs = Date.now();
      await queue.broker.enqueue(
        0,
        delaysMs.map((delayMs, i) => request(`d${i}`, { delayMs, queue: QUEUES[i % 3]! })),
      );
      const { claimed, nextDueMs } = await step(later, { free: 100, queues: QUEUES });
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

test('handing over and claiming at the same time never gives a worker more than its limit, nor of other queues', async (t) => {
  const queue = testQueue(t);
  const other = queue.another();
  const puppets = [
    new Puppet(queue.broker, 0, 'v', ['red', 'green']),
    new Puppet(queue.broker, 0, 'w', ['green', 'blue']),
  ];
  const workers = puppets.map(({ worker }) => worker);
  const kept = async () => {
    const { held } = await snapshot(queue, 0, QUEUES, workers);
    for (const { worker, limit } of puppets) assert.ok((held[worker] ?? []).length <= limit);
    return Object.values(held).flat().length;
  };
  for (const puppet of puppets) await puppet.register(LEASE_MS);
  for (let turn = 0; turn < 60; turn++) {
    const jobs = Array.from({ length: 6 }, (_, i) =>
      request(`h${turn}-${i}`, { queue: QUEUES[i % 3]! }),
    );
    const rounds = puppets.map((puppet) => puppet.round([]));
    await Promise.all([...rounds, ...jobs.map((job) => other.enqueue(0, [job]))]);
    // Until all have ended: then they are idle again, and the next jobs are handed to them.
    while ((await kept()) > 0) {
      for (const puppet of puppets) {
        await puppet.receive();
        await puppet.round([...puppet.known.keys()].map((id) => [id, 'succeeded'] as const));
      }
    }
  }
  const now = await snapshot(queue, 0, QUEUES, workers);
  const found = places([now]);
  assert.equal(found.size, 360);
  assert.equal(now.done.length, 360);
});
