/**
 * Every way to end a thread that leaves the process alone, with neighbours on that thread and on another. What also ends the
 * process, such as a signal a task sends to it or a crash in native code, no thread can contain.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Control } from '../../../jobs/queue/index.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { WAYS_TO_DIE } from '../../support/threads/odd-tasks.ts';
import { NO_DATABASE, openWorker, type WorkerBench } from '../../support/threads/worker.ts';

async function threadOf(bench: WorkerBench, id: string): Promise<unknown> {
  const said = await bench.said(id, 'here');
  return said.event === 'job.log' ? said.fields['threadId'] : undefined;
}

/** Adds a job that waits for ever. It goes to the thread with the fewest jobs. */
async function addNeighbour(bench: WorkerBench): Promise<Neighbour> {
  const id = await bench.add('where', { ms: 600_000 });
  return { id, thread: await threadOf(bench, id) };
}

interface Neighbour {
  id: string;
  thread: unknown;
}

/** A worker of two threads with a neighbour on each. */
async function openWithNeighbours(t: TestContext) {
  const bench = await openWorker(t, NO_DATABASE, { workerThreads: 2 });
  const neighbours = [await addNeighbour(bench), await addNeighbour(bench)];
  assert.notEqual(neighbours[0]!.thread, neighbours[1]!.thread);
  return { bench, neighbours };
}

/** Splits the neighbours of a job on this thread into the one beside it and the one elsewhere. */
function split(neighbours: readonly Neighbour[], thread: unknown): [Neighbour, Neighbour] {
  const isBeside = (one: Neighbour): boolean => one.thread === thread;
  return [neighbours.find(isBeside)!, neighbours.find((one) => !isBeside(one))!];
}

test('a job that dies is charged, once it is alone; its neighbour runs again, others notice nothing', async (t) => {
  // One worker for all ways: whatever a job did to it, it serves the next.
  const { bench, neighbours } = await openWithNeighbours(t);
  const control = new Control(bench.broker);
  const countDeaths = async (id: string) => (await bench.inspector.status(id)).counts.deaths;
  for (const how of Object.keys(WAYS_TO_DIE)) {
    await t.test(how, async () => {
      const isBlocked = how === 'loop for ever';
      const deadly = await bench.add(isBlocked ? 'block' : 'perish', { how });
      const [{ id: beside }, { id: elsewhere }] = split(neighbours, await threadOf(bench, deadly));
      // Its neighbour runs again, and makes room.
      await bench.told.count(2, (one) => one.event === 'job.log' && one.jobId === beside);
      const neighbour = await bench.inspector.status(beside);
      await control.revoke([beside]);
      if (isBlocked) {
        await bench.jobEvent(deadly, 'job.failed');
      } else {
        // First with its neighbour, then alone.
        await bench.told.count(2, (one) => one.event === 'job.released' && one.jobId === deadly);
        await eventually('its death is charged', async () => (await countDeaths(deadly)) === 1);
        await control.revoke([deadly]);
      }
      assert.deepEqual(bench.eventsOf(elsewhere), ['job.log']);
      assert.deepEqual(bench.eventsOf(beside).slice(0, 3), ['job.log', 'job.released', 'job.log']);
      for (const { counts } of [neighbour, await bench.inspector.status(elsewhere)]) {
        assert.deepEqual([counts.attempts, counts.deaths], [0, 0]);
      }
      const deaths = bench.told.seen.flatMap((one) =>
        one.event === 'thread.died' && one.jobIds.includes(deadly) ? [new Set(one.jobIds)] : [],
      );
      const [first, ...later] = deaths;
      assert.deepEqual(first, new Set([deadly, beside]));
      // Alone, perhaps once more than it is charged for: on a thread that its neighbour had used before, and on a fresh one.
      for (const victim of later) assert.deepEqual(victim, new Set([deadly]));
      assert.ok(isBlocked ? later.length === 0 : later.length === 1 || later.length === 2);
      neighbours.splice(0, 2, ...neighbours.filter(({ id }) => id === elsewhere));
      neighbours.push(await addNeighbour(bench));
    });
  }
});

test('a job that has succeeded stays so when it throws later, and its neighbours are not charged', async (t) => {
  const { bench, neighbours } = await openWithNeighbours(t);
  const late = await bench.add('regret', { ms: 300 });
  await bench.jobEvent(late, 'job.succeeded');
  const died = await bench.told.first(({ event }) => event === 'thread.died');
  assert.ok(died.event === 'thread.died' && died.jobIds.length === 1);
  const beside = died.jobIds[0]!;
  const elsewhere = neighbours.find(({ id }) => id !== beside)!.id;
  await bench.told.count(2, (one) => one.event === 'job.log' && one.jobId === beside);
  assert.deepEqual(bench.eventsOf(elsewhere), ['job.log']);
  assert.deepEqual(bench.eventsOf(late), ['job.succeeded']);
  assert.equal((await bench.inspector.status(late)).state, 'succeeded');
  const { attempts, deaths } = (await bench.inspector.status(beside)).counts;
  assert.deepEqual([attempts, deaths], [0, 0]);
});

test('an idle thread that throws what is no error costs the process nothing', async (t) => {
  const bench = await openWorker(t, NO_DATABASE);
  const late = await bench.add('regret', { ms: 100 });
  await bench.jobEvent(late, 'job.succeeded');
  await bench.told.first(({ event }) => event === 'thread.died');
  const idle = await bench.add('late-undefined');
  await bench.jobEvent(idle, 'job.succeeded');
  await bench.told.count(2, ({ event }) => event === 'thread.died');
  await bench.jobEvent(await bench.add('where', { ms: 0 }), 'job.succeeded');
});

test('a task cannot abort the process it runs in, as it may in a process of its own', async (t) => {
  const bench = await openWorker(t, NO_DATABASE);
  await bench.jobEvent(await bench.add('abort'), 'job.failed');
  assert.equal(
    bench.told.seen.some(({ event }) => event === 'thread.died'),
    false,
  );
});
