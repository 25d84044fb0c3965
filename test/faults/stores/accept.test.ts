/**
 * What the API answers while a store is away: accepted is what will be done, and nothing else.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { Accepted } from '../../../db/tasks/request.ts';
import type { Signature } from '../../../jobs/framework/signature.ts';
import { Enqueuer } from '../../../jobs/framework/calls/enqueue.ts';
import { startAnswering } from '../../support/app/answering.ts';
import { startTestApp, type Person, type TestApp } from '../../support/app/app.ts';
import { atEnd } from '../../support/at-end.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { startProxy, type StoreProxy } from '../../support/stores/proxy.ts';
import { report, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('accept', {
  /** Tasks that may wait. */
  cap: { ci: 60, full: 2000 },
  /** Requests without Postgres. */
  requests: { ci: 100, full: 2000 },
});
/** Requests once it is full. */
const BEYOND = 20;
/** Requests on their way at a time. */
const ABREAST = 4;

interface Stand {
  app: TestApp;
  redis: StoreProxy;
  postgres: StoreProxy;
  person: Person;
}

async function open(t: TestContext): Promise<Stand> {
  const redis = await startProxy(process.env['TEST_REDIS_URL']!);
  const postgres = await startProxy(process.env['TEST_DATABASE_URL']!);
  const others = await startAnswering();
  const app = await startTestApp(({ config }) => {
    const databaseUrl = new URL(config.databaseUrl);
    databaseUrl.port = new URL(postgres.url).port;
    return {
      redisUrl: redis.url,
      databaseUrl: databaseUrl.href,
      clickhouseUrl: others.url,
      qdrantUrl: others.url,
      backlogMaxRows: SIZES.cap,
      leaseMs: stretched(1000),
    };
  });
  atEnd(t, async () => {
    await app.stop();
    await redis.cut();
    await postgres.cut();
    others.stop();
  });
  return { app, redis, postgres, person: await app.person() };
}

interface Answer {
  status: number;
  code: string | undefined;
  taskId: string | undefined;
}

async function ask(person: Person, practice: string): Promise<Answer> {
  const { status, body } = await person.call<{ task_id?: string; error?: { code: string } }>(
    'POST',
    `/practices/${practice}/feedback`,
  );
  return { status, code: body.error?.code, taskId: body.task_id };
}

/** Ids of those who were answered 202 and are no row. */
async function falselyAccepted({ app }: Stand, answers: readonly Answer[]): Promise<string[]> {
  const ids = answers.flatMap(({ status, taskId }) => (status === 202 ? [taskId!] : []));
  const { rows } = await app.database.pool.query<{ id: string }>('SELECT id FROM ai.tasks');
  const known = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
}

const words = (answers: readonly Answer[]): string[] => [
  ...new Set(answers.map(({ status, code }) => (code === undefined ? `${status}` : code))),
];

test('accepting without Redis', async (t) => {
  const stand = await open(t);
  const { app, redis, person } = stand;
  const ready = async () => {
    const response = await fetch(new URL('/ready', app.app.origin));
    return (await response.json()) as { backlog: { full: boolean } };
  };
  const askAll = async (requests: number): Promise<Answer[]> => {
    const answers: Answer[] = [];
    while (answers.length < requests) {
      const some = Array.from({ length: ABREAST }, async () =>
        ask(person, await person.practice()),
      );
      answers.push(...(await Promise.all(some)));
    }
    return answers;
  };
  await redis.cut();
  const before = await askAll(SIZES.cap);
  // It is measured once a second.
  await eventually('it is full', async () => (await ready()).backlog.full);
  const beyond = await askAll(BEYOND);
  const violations: string[] = [];
  const accepted = before.filter(({ status }) => status === 202);
  const early = before.filter(({ status }) => status !== 202);
  if (early.length > 0) violations.push(`below the cap: ${words(early).join()}`);
  if (words(beyond).join() !== 'BACKLOG_FULL')
    violations.push(`when full: ${words(beyond).join()}`);

  await redis.restore();
  const startedMs = performance.now();
  const drained = async (): Promise<boolean> => {
    const { rows } = await app.database.pool.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM ai.tasks WHERE status <> 'done'`,
    );
    return rows[0]!.open === 0;
  };
  await eventually('all is done', drained).catch(() => violations.push('not drained'));
  const drainedMs = performance.now() - startedMs;
  violations.push(
    ...(await falselyAccepted(stand, [...before, ...beyond])).map((id) => `lost ${id}`),
  );
  report(t, {
    figure: `accepting without Redis, a cap of ${SIZES.cap} tasks`,
    result: `${accepted.length} of ${before.length} answered 202, then ${beyond.length} of ${beyond.length} ${words(beyond).join()}; done ${Math.round(drainedMs)} ms after Redis was back`,
    violations,
  });
});

/** Requests that Postgres has begun to store when it is cut off. */
async function askWhileStored({ app, postgres, person }: Stand): Promise<Answer[]> {
  const practices = await Promise.all(Array.from({ length: ABREAST }, () => person.practice()));
  const { pool } = app.database;
  const holder = await pool.connect();
  try {
    await holder.query('BEGIN; LOCK TABLE ai.tasks IN EXCLUSIVE MODE');
    const asking = Promise.all(practices.map((practice) => ask(person, practice)));
    await eventually('they are being stored', async () => {
      const { rowCount } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND query LIKE '%ai.accept_request%'`,
      );
      return rowCount !== 0;
    });
    await postgres.cut();
    return await asking;
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
}

test('accepting without Postgres', async (t) => {
  const stand = await open(t);
  const { postgres, person } = stand;
  const practices = await Promise.all(
    Array.from({ length: SIZES.requests }, () => person.practice()),
  );
  const answers = await askWhileStored(stand);
  while (practices.length > 1) {
    const some = practices.splice(1, ABREAST).map((practice) => ask(person, practice));
    answers.push(...(await Promise.all(some)));
  }
  await postgres.restore();
  const violations = words(answers)
    .filter((word) => word !== 'STORE_UNAVAILABLE')
    .map((word) => `answered ${word}`);
  await eventually(
    'it accepts again',
    async () => (await ask(person, practices[0]!)).status === 202,
  );
  violations.push(...(await falselyAccepted(stand, answers)).map((id) => `lost ${id}`));
  report(t, {
    figure: 'accepting without Postgres',
    result: `${answers.length} of ${answers.length} requests answered ${words(answers).join(', ')}`,
    violations,
  });
});

test('accepted without being stored, as a planted bug has it, is noticed', async (t) => {
  const stand = await open(t);
  const enqueue = Enqueuer.prototype.enqueue;
  t.mock.method(
    Enqueuer.prototype,
    'enqueue',
    async function (this: Enqueuer, signatures: readonly Signature[]): Promise<Accepted[]> {
      return enqueue
        .call(this, signatures)
        .catch(() =>
          signatures.map(() => ({ id: randomUUID(), status: 'queued', outcome: 'created' })),
        );
    },
  );
  const answers = await askWhileStored(stand);
  await stand.postgres.restore();
  // Those that were still reading their practice are refused.
  assert.notEqual((await falselyAccepted(stand, answers)).length, 0);
});
