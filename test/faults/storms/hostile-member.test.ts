/**
 * One member does everything that could cost the others something, as fast as the server answers, while twenty members read and
 * ask for feedback: they must not notice. The server is a process, and both kinds of members are threads of their own, so that what
 * is measured is the server.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { atEnd } from '../../support/at-end.ts';
import { createBearer } from '../../support/app/app.ts';
import { runWatched } from '../../support/app/watched.ts';
import { insertTellingPractice, insertUser } from '../../support/domain/practices.ts';
import { percentile } from '../../support/event-loop.ts';
import { ORDERS, report, SEED, sizesOf } from '../experiment.ts';
import type { Answers, HostileMember } from './hostile/hostile-main.ts';
import type { Members, Order, Times } from './hostile/members-main.ts';

const SIZES = sizesOf('hostile-member', {
  /** Seconds before the member turns hostile, against which the seconds after are judged. */
  quiet: { ci: 8, full: 20 },
  /** Seconds of hostility. */
  hostile: { ci: 20, full: 60 },
  /** Connections that the hostile member uses at a time. */
  connections: { ci: 8, full: 16 },
});
const MEMBERS = 20;
/** Before anything is measured, in milliseconds: the code is compiled, and the first cards are made. */
const WARM_MS = 5000;
/** Longest that reads of the others may take, in milliseconds (p99). */
const READ_MS = 100;
/** More than an honest member asks for in a run. */
const FEEDBACK_PER_DAY = '40';
const MOST_MEMORY_MB = 120;
const MOST_DISK_MB = 64;

/** Starts a thread of `hostile/` that ends with the test. */
function startThread(t: TestContext, name: string, data: HostileMember | Members): Worker {
  const worker = new Worker(new URL(`hostile/${name}.js`, import.meta.url), { workerData: data });
  atEnd(t, () => worker.terminate());
  return worker;
}

async function ask<T>(thread: Worker, order?: Order): Promise<T> {
  thread.postMessage(order);
  const [answer] = (await once(thread, 'message')) as [T];
  return answer;
}

const p99 = (values: readonly number[]): number => percentile(values, 0.99);
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** Resident memory of a process, in MB. */
async function memoryMb(pid: number): Promise<number> {
  const [, pages = '0'] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
  return (Number(pages) * 4096) / 1024 ** 2;
}

test('one hostile member costs twenty others nothing', async (t) => {
  const main = await runWatched(t, { FEEDBACK_PER_DAY });
  const { origin, stores } = main;
  const { pool } = stores.database;
  const pid = main.child.pid!;
  const someone = async () => {
    const user = await insertUser(pool);
    return { ...user, authorization: await createBearer(user, stores.config.jwtSecurity) };
  };
  const hostile = await someone();
  const practices = await Promise.all(
    Array.from({ length: 5 }, () => insertTellingPractice(pool, hostile.id)),
  );
  const members = startThread(t, 'members-main', {
    origin,
    databaseUrl: stores.database.url,
    members: await Promise.all(Array.from({ length: MEMBERS }, someone)),
  });
  await sleep(WARM_MS);
  await ask<Times>(members, { isLast: false });
  await sleep(SIZES.quiet * 1000);
  const before = await ask<Times>(members, { isLast: false });
  const [memoryBefore, diskBefore] = [await memoryMb(pid), await diskMb()];
  const callsBefore = await stores.coach.chatCalls();
  await main.loop();
  const attacker = startThread(t, 'hostile-main', {
    origin,
    authorization: hostile.authorization,
    practices,
    connections: SIZES.connections,
    seed: SEED,
  });
  await sleep(SIZES.hostile * 1000);
  const answers = await ask<Answers>(attacker);
  const during = await ask<Times>(members, { isLast: true });
  const loop = await main.loop();
  const [memoryAfter, diskAfter] = [await memoryMb(pid), await diskMb()];
  const calls = (await stores.coach.chatCalls()) - callsBefore;
  const { rows } = await pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ai.llm_calls c JOIN ai.tasks t ON t.id = c.task_id
     WHERE t.user_id = $1`,
    [hostile.externalId],
  );
  const paid = rows[0]!.n;
  const lost = [...main.text().matchAll(/job\.lease_lost/g)].length;
  const refused = [...answers].filter(([status]) => status >= 400).map(([, n]) => n);

  const violations = [...before.failures, ...during.failures];
  const must = (holds: boolean, what: string): void => void (holds || violations.push(what));
  const [slow, usual] = [p99(during.feedback), p99(before.feedback)];
  // In the size of CI another experiment runs beside it, and a time would be a verdict on both.
  if (ORDERS.full === true) {
    must(p99(during.reads) <= READ_MS, `reads took ${p99(during.reads).toFixed(0)} ms (p99)`);
    must(slow <= 2 * usual, `feedback: ${slow.toFixed(0)} ms after ${usual.toFixed(0)} ms (p99)`);
  }
  must(before.reads.length * before.feedback.length > 0, 'nothing was measured in quiet');
  must(during.reads.length * during.feedback.length > 0, 'nothing was measured in the storm');
  must(memoryAfter - memoryBefore <= MOST_MEMORY_MB, `memory grew to ${memoryAfter} MB`);
  must(diskAfter - diskBefore <= MOST_DISK_MB, `Postgres grew by ${diskAfter - diskBefore} MB`);
  must(lost === 0, `${lost} leases were lost`);
  must(!answers.has(500), `${answers.get(500)} answers with 500`);
  // Each piece of feedback is one call, and one more where the reply had to be repaired.
  must(
    calls - paid <= 2 * (during.asked + MEMBERS),
    `${calls} calls, of which the hostile ${paid}`,
  );
  report(t, {
    figure: `one hostile member beside ${MEMBERS}, ${SIZES.hostile} s, ${SIZES.connections} connections`,
    result:
      `${sum([...answers.values()])} hostile requests, ${sum(refused)} refused, ${paid} calls of the model for them; ` +
      `reads ${p99(during.reads).toFixed(0)} ms (quiet ${p99(before.reads).toFixed(0)}), feedback ${slow.toFixed(0)} ms ` +
      `(quiet ${usual.toFixed(0)}), event loop late by ${loop.p99Ms.toFixed(0)} ms, p99; ` +
      `memory ${memoryBefore.toFixed(0)} to ${memoryAfter.toFixed(0)} MB, ` +
      `Postgres + ${(diskAfter - diskBefore).toFixed(0)} MB, ${lost} leases lost`,
    violations,
  });

  async function diskMb(): Promise<number> {
    const size = await pool.query<{ mb: number }>(
      'SELECT (pg_database_size(current_database()) / 1024 / 1024)::int AS mb',
    );
    return size.rows[0]!.mb;
  }
});
