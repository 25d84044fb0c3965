/**
 * One member does everything that could cost the others something, as fast as the server answers, while twenty members read and
 * ask for feedback: they must not notice.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { atEnd } from '../../support/at-end.ts';
import {
  createBearer,
  createPerson,
  createTestStores,
  type Person,
} from '../../support/app/app.ts';
import { environmentOf, run } from '../../support/app/process.ts';
import { stretched } from '../../support/patience.ts';
import { startTestClickhouse } from '../../support/stores/clickhouse.ts';
import { startTestVectorStore } from '../../support/stores/vector-store.ts';
import { chance, ORDERS, report, sizesOf } from '../experiment.ts';
import { hostileActs } from './hostile-acts.ts';

const SIZES = sizesOf('hostile-member', {
  /** Seconds before the member turns hostile, against which the seconds after are judged. */
  quiet: { ci: 8, full: 20 },
  /** Seconds of hostility. */
  hostile: { ci: 20, full: 60 },
  /** Connections that the hostile member uses at a time. */
  connections: { ci: 8, full: 16 },
});
const MEMBERS = 20;
/** Pause of a member between two requests, in milliseconds. */
const PAUSE_MS = 400;
/** Longest that reads of the others may take, in milliseconds (p99). */
const READ_MS = stretched(100);
/** More than an honest member asks for in a run. */
const FEEDBACK_PER_DAY = '40';
const MOST_MEMORY_MB = 120;
const MOST_DISK_MB = 64;

const { integer } = chance();

interface Times {
  reads: number[];
  /** From the request to the stored feedback. */
  feedback: number[];
  failures: string[];
  tasks: string[];
}

const noTimes = (): Times => ({ reads: [], feedback: [], failures: [], tasks: [] });

/** Reads and asks for feedback until the signal, one request after the other. */
async function live(person: Person, turn: number, times: () => Times, signal: AbortSignal) {
  await sleep((turn * PAUSE_MS) / MEMBERS);
  for (let n = turn; !signal.aborted; n++) {
    const startedMs = performance.now();
    const into = times();
    if (n % 8 === 0) {
      const practice = await person.practice();
      const askedMs = performance.now();
      const path = `/practices/${practice}/feedback`;
      const { status, body } = await person.call<{ task_id: string }>('POST', path);
      if (status === 202) {
        into.tasks.push(body.task_id);
        const { body: task } = await person.call<{ status: string }>(
          'GET',
          `/tasks/${body.task_id}?wait=20`,
        );
        into.feedback.push(performance.now() - askedMs);
        if (task.status !== 'done') into.failures.push(`a task ended as ${task.status}`);
      } else into.failures.push(`feedback: ${status}`);
    } else {
      const { status } = await person.call('GET', '/users/me/recommendations?limit=20');
      into.reads.push(performance.now() - startedMs);
      if (status !== 200) into.failures.push(`cards: ${status}`);
    }
    await sleep(PAUSE_MS);
  }
}

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;

/** Resident memory of a process, in MB. */
async function memoryMb(pid: number): Promise<number> {
  const [, pages = '0'] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
  return (Number(pages) * 4096) / 1024 ** 2;
}

test('one hostile member costs twenty others nothing', async (t) => {
  const stores = await createTestStores();
  const [clickhouse, vectors] = await Promise.all([startTestClickhouse(), startTestVectorStore()]);
  const { pool } = stores.database;
  const env = environmentOf({
    ...stores.config,
    clickhouseUrl: clickhouse.url,
    qdrantUrl: vectors.url,
  });
  const main = run(t, 'main.js', { ...env, PORT: '0', FEEDBACK_PER_DAY });
  atEnd(t, async () => {
    main.child.kill('SIGTERM');
    await main.ended;
    await Promise.all([clickhouse.stop(), vectors.stop()]);
    await stores.drop();
  });
  const [, origin = ''] = await main.wrote(/back end on (http:\/\/\S+)/);
  const pid = main.child.pid!;
  const someone = () => createPerson(stores.database, origin, stores.config.jwtSecurity);
  const members = await Promise.all(Array.from({ length: MEMBERS }, someone));
  const hostile = await someone();
  const authorization = await createBearer(hostile, stores.config.jwtSecurity);

  const [before, during] = [noTimes(), noTimes()];
  let times = before;
  const over = new AbortController();
  const lives = members.map((person, turn) => live(person, turn, () => times, over.signal));
  await sleep(SIZES.quiet * 1000);
  const [memoryBefore, diskBefore] = [await memoryMb(pid), await diskMb()];
  const callsBefore = await stores.coach.chatCalls();
  const tasksBefore = before.tasks.length;
  times = during;
  const answers = new Map<number, number>();
  const done = new AbortController();
  const attacks = Array.from({ length: SIZES.connections }, async (_, lane) => {
    const acts = hostileActs({ person: hostile, origin, authorization }, randomUUID());
    for (let n = lane + integer(acts.length); !done.signal.aborted; n++) {
      const status = await acts[n % acts.length]!(n);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
  });
  await sleep(SIZES.hostile * 1000);
  done.abort();
  await Promise.all(attacks);
  over.abort();
  await Promise.all(lives);
  const [memoryAfter, diskAfter] = [await memoryMb(pid), await diskMb()];
  const honestCalls = during.tasks.length + (before.tasks.length - tasksBefore);
  const calls = (await stores.coach.chatCalls()) - callsBefore;
  const { rows } = await pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ai.llm_calls c JOIN ai.tasks t ON t.id = c.task_id
     WHERE t.user_id = $1`,
    [hostile.externalId],
  );
  const paid = rows[0]!.n;
  const lost = [...main.text().matchAll(/job\.lease_lost/g)].length;
  const refused = [...answers].filter(([status]) => status >= 400).map(([, n]) => n);
  const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);

  const violations = [...before.failures, ...during.failures];
  const must = (holds: boolean, what: string): void => void (holds || violations.push(what));
  const [slow, usual] = [p99(during.feedback), p99(before.feedback)];
  // In the size of CI another experiment runs beside it, and a time would be a verdict on both.
  if (ORDERS.full === true) {
    must(p99(during.reads) <= READ_MS, `reads took ${p99(during.reads).toFixed(0)} ms (p99)`);
    must(slow <= 2 * Math.max(usual, 500), `feedback: ${slow} ms after ${usual} ms (p99)`);
  }
  must(memoryAfter - memoryBefore <= MOST_MEMORY_MB, `memory grew to ${memoryAfter} MB`);
  must(diskAfter - diskBefore <= MOST_DISK_MB, `Postgres grew by ${diskAfter - diskBefore} MB`);
  must(lost === 0, `${lost} leases were lost`);
  must(!answers.has(500), `${answers.get(500)} answers with 500`);
  // Each piece of feedback is one call, and one more where the reply had to be repaired.
  must(calls - paid <= 2 * (honestCalls + MEMBERS), `${calls} calls, of which the hostile ${paid}`);
  report(t, {
    figure: `one hostile member beside ${MEMBERS}, ${SIZES.hostile} s, ${SIZES.connections} connections`,
    result:
      `${sum([...answers.values()])} hostile requests, ${sum(refused)} refused, ${paid} calls of the model for them; ` +
      `reads ${p99(during.reads).toFixed(0)} ms (quiet ${p99(before.reads).toFixed(0)}), feedback ${slow.toFixed(0)} ms ` +
      `(quiet ${usual.toFixed(0)}), p99; memory ${memoryBefore.toFixed(0)} to ${memoryAfter.toFixed(0)} MB, ` +
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
