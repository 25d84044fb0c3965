/**
 * What the API answers while a store is away: accepted is what will be done, and nothing else.
 */
import { test, type TestContext } from 'node:test';
import { startAnswering } from '../support/answering.ts';
import { startTestApp, type Person, type TestApp } from '../support/app.ts';
import { atEnd } from '../support/at-end.ts';
import { eventually } from '../support/consumers.ts';
import { startProxy, type StoreProxy } from '../support/proxy.ts';
import { report, sizesOf } from './experiment.ts';

const SIZES = sizesOf('accept', {
  /** Tasks that may wait. */
  cap: { ci: 60, full: 2000 },
  /** Requests without Postgres. */
  requests: { ci: 100, full: 2000 },
});
/** Requests after the first one that was refused. */
const BEYOND = 20;
const DRAIN_MS = 60_000;
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
      leaseMs: 1000,
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
  const practices = await Promise.all(
    Array.from({ length: 3 * SIZES.cap + BEYOND }, () => person.practice()),
  );
  await redis.cut();
  const before: Answer[] = [];
  const beyond: Answer[] = [];
  while (beyond.length < BEYOND && practices.length > 0) {
    const answers = await Promise.all(
      practices.splice(0, ABREAST).map((practice) => ask(person, practice)),
    );
    const isFull = beyond.length > 0 || answers.some(({ status }) => status !== 202);
    (isFull ? beyond : before).push(...answers);
  }
  const violations: string[] = [];
  if (before.length < SIZES.cap - ABREAST)
    violations.push(`${before.length} accepted below the cap`);
  const refused = beyond.filter(({ status }) => status !== 202);
  if (words(refused).join() !== 'BACKLOG_FULL')
    violations.push(`refused: ${words(refused).join()}`);
  if (beyond.slice(ABREAST).some(({ status }) => status === 202))
    violations.push('accepted when full');

  await redis.restore();
  const startedMs = performance.now();
  const drained = async (): Promise<boolean> => {
    const { rows } = await app.database.pool.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM ai.tasks WHERE status <> 'done'`,
    );
    return rows[0]!.open === 0;
  };
  await eventually('all is done', drained, DRAIN_MS).catch(() => violations.push('not drained'));
  const drainedMs = performance.now() - startedMs;
  violations.push(
    ...(await falselyAccepted(stand, [...before, ...beyond])).map((id) => `lost ${id}`),
  );
  report(t, {
    figure: `accepting without Redis, a cap of ${SIZES.cap} tasks`,
    result: `${before.length} answered 202 one after the other, then ${refused.length} of ${beyond.length} 503; done ${Math.round(drainedMs)} ms after Redis was back`,
    violations,
  });
});

test('accepting without Postgres', async (t) => {
  const stand = await open(t);
  const { postgres, person } = stand;
  const practices = await Promise.all(
    Array.from({ length: SIZES.requests }, () => person.practice()),
  );
  const answers: Answer[] = [];
  await postgres.cut();
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
