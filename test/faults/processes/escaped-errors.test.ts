/**
 * That errors which escape leave nothing behind. 400 jobs throw, ten on a thread, as the first error ends it;
 * `ESCAPED_ERRORS_THREADS=1000` ends a thread for each of 1,000 errors.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Endings } from '../../../workers/main/endings.ts';
import { ThreadPool } from '../../../workers/main/pool.ts';
import type { ThreadJob } from '../../../workers/protocol.ts';
import { testConfig } from '../../support/config.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { Signals } from '../../support/signals.ts';

const THREADS = Number(process.env['ESCAPED_ERRORS_THREADS'] ?? 40);
const JOBS = Math.max(400, THREADS);
/** Deaths before the first count: what is made once is there by then. */
const WARM_UP = 10;
/** Most the heap may have grown by, in MB: less than 10 KB for each of the errors. */
const GROWTH_MB = 8;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const module = new URL('../../support/threads/escaping-thread.js', import.meta.url);

function listeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}

async function systemThreads(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  return (await readdir('/proc/self/task')).length;
}

async function leftovers() {
  collectGarbage();
  return {
    resources: process.getActiveResourcesInfo().toSorted(),
    listeners: listeners(),
    threads: await systemThreads(),
  };
}

test('errors that escape leave no thread, listener or handle behind', async (t) => {
  const dead = new Signals<string>();
  const stayed = new Signals<string>();
  const ignore = () => undefined;
  const others = {
    started: ignore,
    handled: ignore,
    deferred: () => undefined,
    stuck: ignore,
    extended: ignore,
    progress: ignore,
    log: ignore,
  };
  const pool = new ThreadPool(
    { config: testConfig(), threads: 2, warm: true, module, endings: new Endings() },
    {
      ...others,
      replaced: ignore,
      ended: (id) => stayed.note(id),
      died(ids, { reason }) {
        assert.match(reason, /^escaped from /);
        for (const id of ids) dead.note(id);
      },
      unstarted(ids) {
        for (const id of ids) dead.note(id);
      },
    },
  );
  t.after(() => pool.close());
  const jobs = (count: number, payload = '{}'): ThreadJob[] =>
    Array.from({ length: count }, () => {
      const about = { id: randomUUID(), task: 'test', queue: 'default', payload };
      return { ...about, headers: {}, attempts: 0, createdAtMs: 0 };
    });

  /** Ends so many threads, two at a time, with so many jobs on each. */
  async function endThreads(threads: number, jobsOnEach: number): Promise<void> {
    for (let ended = 0; ended < threads; ended += 2) {
      const wanted = dead.seen.length + 2 * jobsOnEach;
      for (const batch of [jobs(jobsOnEach), jobs(jobsOnEach)]) pool.run(batch);
      await dead.until(() => (dead.seen.length >= wanted ? true : undefined));
    }
  }

  /** Both threads that took over have been started by the end of this. */
  async function settle(): Promise<void> {
    const wanted = stayed.seen.length + 2;
    for (const batch of [jobs(1, '"stay"'), jobs(1, '"stay"')]) pool.run(batch);
    await stayed.until(() => (stayed.seen.length >= wanted ? true : undefined));
  }

  await endThreads(WARM_UP, 1);
  await settle();
  const before = await leftovers();
  const heapBefore = process.memoryUsage().heapUsed;
  await endThreads(THREADS, JOBS / THREADS);
  assert.equal(new Set(dead.seen).size, WARM_UP + JOBS);
  await settle();
  // A port that was closed takes a moment to be gone.
  let after = await leftovers();
  await eventually('there is no more than before', async () => {
    after = await leftovers();
    return (
      after.resources.length <= before.resources.length &&
      after.listeners <= before.listeners &&
      after.threads <= before.threads
    );
  }).catch(() => assert.deepEqual(after, before));
  const grownMb = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
  t.diagnostic(`the heap grew by ${grownMb.toFixed(1)} MB`);
  assert.ok(grownMb < GROWTH_MB, `${grownMb} MB`);
});
