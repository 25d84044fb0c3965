/**
 * What counts as an unavailable store, how long that costs no attempt, and what does not count, however it looks.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { Type } from 'typebox';
import { freePort } from '../../../db/embedded/host/port.ts';
import { createPool } from '../../../db/stores/postgres.ts';
import { defineTask, type Context } from '../../../jobs/define.ts';
import { Broker } from '../../../jobs/queue/index.ts';
import { Enqueuer } from '../../../jobs/framework/calls/enqueue.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import type { ThreadScope } from '../../../workers/thread/context.ts';
import type { Resources } from '../../../jobs/resources.ts';
import {
  accepted,
  database,
  live,
  register,
  rowOf,
  scope,
  scopeOn,
  transient,
} from '../../support/threads/attempts.ts';

const NOWHERE = `postgres://127.0.0.1:${await freePort()}/none`;
const away = createPool(NOWHERE, { max: 1, name: 'test' });
const noRedis = new Broker({ url: `redis://127.0.0.1:${await freePort()}`, prefix: 'none' });
after(async () => {
  noRedis.close();
  await away.end();
});

const DAY_MS = 86_400_000;

const error = (message: string, properties: object = {}) =>
  Object.assign(new Error(message), properties);

/** Nothing of `ctx` throws these, though each looks like an unavailable store. */
const LOOK_ALIKES: Record<string, () => Promise<unknown>> = {
  'a refused connection': async () => fetch(`http://127.0.0.1:${await freePort()}`),
  'a client of its own'() {
    const client = new pg.Client({ connectionString: NOWHERE });
    return client.connect();
  },
  'a code of the network': () => Promise.reject(error('no', { code: 'ECONNRESET' })),
  'an SQLSTATE': () => Promise.reject(error('no', { code: '57P01' })),
  'a status of 503': () => Promise.reject(error('no', { status: 503, statusText: 'no' })),
  'the words of Redis': () => Promise.reject(error('Command timed out')),
  'the words of ClickHouse': () => Promise.reject(error('socket hang up')),
};

for (const [name, call] of Object.entries(LOOK_ALIKES)) {
  test(`${name} of the task's own is charged, and the last attempt fails`, async () => {
    const job = await accepted(call);
    const kinds = [];
    for (let run = 0; run < 3; run++) kinds.push((await attempt(job, scope, live)).kind);
    assert.deepEqual(kinds, ['retry', 'retry', 'failed']);
  });
}

test('what the policy never retries fails at once, also with a code of the network', async () => {
  const job = await accepted(() => Promise.reject(error('no', { code: 'ECONNREFUSED' })));
  const picky = defineTask({
    name: 'test.picky',
    durable: false,
    payload: Type.Object({ word: Type.String() }),
    result: Type.Unknown(),
    neverRetryOn: ['ECONNREFUSED'],
    run: () => Promise.reject(error('no', { code: 'ECONNREFUSED' })),
  });
  register(picky);
  assert.equal((await attempt({ ...job, task: picky.name }, scope, live)).kind, 'failed');
});

const echo = defineTask({
  name: 'test.away-echo',
  durable: false,
  payload: Type.Object({}),
  result: Type.Unknown(),
  run: async () => null,
});
register(echo);
const kept = defineTask({ ...echo, name: 'test.away-kept', durable: true });
register(kept);

/** Every client in `ctx`, while its store is away. */
const CALLS: Record<string, (ctx: Context) => Promise<unknown>> = {
  'ctx.db': (ctx) => ctx.db.query('SELECT 1'),
  'ctx.cache': (ctx) => ctx.cache.get('x'),
  'ctx.vectors': (ctx) => ctx.vectors.vectors('users', ['6f2b5a0e-3c1d-4e5f-8a9b-0c1d2e3f4a5b']),
  'ctx.vectors, written': (ctx) =>
    ctx.vectors.remove('users', 1, ['6f2b5a0e-3c1d-4e5f-8a9b-0c1d2e3f4a5b']),
  'ctx.vectors, searched': (ctx) =>
    ctx.vectors.searchPractices([{ vector: [1], limit: 1, notOwnedBy: 'x', notIds: [] }]),
  'ctx.events': (ctx) => ctx.events.popular(1, async () => new Set()),
  'ctx.enqueue, transient': (ctx) => ctx.enqueue(echo.s({})),
  'ctx.enqueue, durable': (ctx) => ctx.enqueue(kept.s({})),
  /** The lock that another session holds. */
  'ctx.transaction': (ctx) =>
    ctx.transaction('lock', (tx) => tx.query('LOCK TABLE ai.migrations IN SHARE MODE NOWAIT')),
};

/** The stores of `ctx` are away; that of the task's row is not. */
function awayScope(): ThreadScope<Resources> {
  const known = { tasks: scope.tasks, queues: [] };
  const deferred = (): void => undefined;
  const enqueuer = new Enqueuer({ db: away, broker: noRedis, ...known, deferred });
  return Object.defineProperties(Object.create(scope) as ThreadScope<Resources>, {
    reader: { value: away },
    enqueuer: { value: enqueuer },
    resources: { value: scope.resources },
  });
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: its unavailable store costs no attempt`, async () => {
    const job = await accepted(call);
    const holder = await database.pool.connect();
    try {
      await holder.query(
        'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE ai.migrations IN ACCESS EXCLUSIVE MODE',
      );
      for (let run = 0; run < 2; run++) {
        const end = await attempt(job, awayScope(), live);
        assert.ok(end.kind === 'released', JSON.stringify(end));
      }
      assert.equal((await rowOf(job)).attempts, 0);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
  });
}

/** Moves every time of a row into the past. */
const age = async (id: string, hours: number) =>
  database.pool.query(
    `UPDATE ai.tasks SET requested_at = requested_at - $2 * interval '1 hour',
       run_at = run_at - $2 * interval '1 hour', started_at = started_at - $2 * interval '1 hour' WHERE id = $1`,
    [id, hours],
  );

test('after a day of it, each attempt is charged, and says why', async () => {
  const job = await accepted((ctx) => ctx.db.query('SELECT 1'));
  assert.equal((await attempt(job, awayScope(), live)).kind, 'released');
  await age(job.id, 23);
  assert.equal((await attempt(job, awayScope(), live)).kind, 'released');
  await age(job.id, 2);
  // The task may be retried for 60 s (see `accepted`), which are over.
  const end = await attempt(job, awayScope(), live);
  assert.ok(end.kind === 'failed', JSON.stringify(end));
  assert.equal(end.code, 'STORE_UNAVAILABLE');
  assert.match(end.message, /unavailable for longer/);
  assert.match(end.cause?.message ?? '', /ECONNREFUSED/);
  const { status, attempts, error_code } = await rowOf(job);
  assert.deepEqual([status, attempts, error_code], ['error', 1, 'STORE_UNAVAILABLE']);
});

test('the day begins with the first start, however long ago the task was asked for', async () => {
  const job = await accepted((ctx) => ctx.db.query('SELECT 1'));
  await age(job.id, 100);
  assert.equal((await attempt(job, awayScope(), live)).kind, 'released');
  const { status, attempts } = await rowOf(job);
  assert.deepEqual([status, attempts], ['running', 0]);
});

test('a charged attempt has a day of its own', async () => {
  const name = 'test.patient';
  register(
    defineTask({
      name,
      payload: Type.Object({ word: Type.String() }),
      result: Type.Unknown(),
      maxRetries: 1,
      run: (_, ctx) => ctx.db.query('SELECT 1'),
    }),
  );
  const job = await accepted(async () => null);
  await database.pool.query('UPDATE ai.tasks SET name = $2 WHERE id = $1', [job.id, name]);
  const next = async () => (await attempt(job, awayScope(), live)).kind;
  assert.equal(await next(), 'released');
  await age(job.id, 25);
  assert.deepEqual([await next(), await next()], ['retry', 'released']);
  await age(job.id, 25);
  assert.equal(await next(), 'failed');
});

test('a transient task is charged after a day as well', async () => {
  const job = transient((ctx) => ctx.db.query('SELECT 1'));
  assert.equal((await attempt(job, awayScope(), live)).kind, 'released');
  const old = { ...job, createdAtMs: Date.now() - DAY_MS - 1 };
  assert.equal((await attempt(old, awayScope(), live)).kind, 'retry');
});

test('the longer a store is away, the later the task looks again, at most 30 s', async () => {
  const job = await accepted((ctx) => ctx.db.query('SELECT 1'));
  const delayMs = async () => {
    const end = await attempt(job, awayScope(), live);
    assert.ok(end.kind === 'released', JSON.stringify(end));
    return end.delayMs;
  };
  assert.equal(await delayMs(), 2000);
  await age(job.id, 1 / 36);
  const later = await delayMs();
  assert.ok(later >= 10_000 && later < 30_000, String(later));
  await age(job.id, 12);
  assert.equal(await delayMs(), 30_000);
});

test('a task whose row cannot be reached waits for it, however long', async () => {
  const job = { ...(await accepted(async () => 'done')), createdAtMs: Date.now() - 9 * DAY_MS };
  assert.equal((await attempt(job, scopeOn(away), live)).kind, 'released');
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
});
