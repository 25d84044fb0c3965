/**
 * Postgres is killed, restarted and cut off, amid transactions, while durable tasks flow.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPool } from '../../../db/stores/postgres.ts';
import { AppError } from '../../../base/errors.ts';
import { atEnd } from '../../support/at-end.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { createTestRedis } from '../../support/stores/redis.ts';
import { chance, report, sizesOf } from '../experiment.ts';
import { startFlow } from './work/flow.ts';
import { violationsOf } from './work/ledger.ts';
import { violationsOfChords } from './work/chords.ts';
import { ownPostgres } from './own-postgres.ts';
import { openStage } from './stage.ts';

const SIZES = sizesOf('postgres-storm', {
  kills: { ci: 2, full: 30 },
  restarts: { ci: 1, full: 20 },
  cuts: { ci: 4, full: 50 },
});
const LEASE_MS = stretched(1000);
const PACE_MS = 40;
/** Jobs that must end between two faults. */
const BETWEEN = 10;

const { integer, next } = chance();

test('a storm on Postgres', async (t) => {
  const postgres = await ownPostgres(t);
  const db = createPool(postgres.url, { max: 10, name: 'storm' });
  const redis = createTestRedis();
  atEnd(t, async () => {
    await db.end();
    await redis.clear();
  });
  const stage = await openStage(t, {
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    db,
    leaseMs: LEASE_MS,
  });
  await stage.startScheduler();
  for (let i = 0; i < 2; i++) stage.startWorker();
  await Promise.all(stage.workers.map(({ ready }) => ready));

  const faults: Record<string, () => unknown> = {
    kills: () => postgres.restart('SIGKILL'),
    restarts: () => postgres.restart('SIGINT'),
    cuts: () => postgres.cut(),
  };
  const flow = startFlow(stage, integer, PACE_MS);
  const plan = Object.entries(SIZES)
    .flatMap(([name, count]) => Array.from({ length: count }, () => ({ name, at: next() })))
    .toSorted((a, b) => a.at - b.at);
  for (const { name } of plan) {
    await faults[name]!();
    const ended = flow.ended();
    await eventually(`work goes on after ${name}`, () => flow.ended() >= ended + BETWEEN);
  }
  const drainedMs = await flow.drain();
  for (const error of flow.refused) {
    assert.ok(error instanceof AppError && error.code === 'STORE_UNAVAILABLE', String(error));
  }
  const violations = [
    ...(await violationsOf(db, stage.file, flow.accepted)),
    ...(await violationsOfChords(db, stage.file, flow.chords)),
  ];
  const { kills, restarts, cuts } = SIZES;
  report(t, {
    figure: `Postgres killed ${kills} x, restarted ${restarts} x, cut off ${cuts} x`,
    result: `${violations.length} violations in ${flow.accepted.size} accepted tasks, ${flow.chords.length} chords among them, ${flow.refused.length} calls refused as unavailable, drained in ${Math.round(drainedMs)} ms`,
    violations,
  });
});
