/**
 * Schedulers are killed and stopped while slots come due.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '../../../db/stores/postgres.ts';
import { atEnd } from '../../support/at-end.ts';
import { testConfig } from '../../support/config.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { environmentOf, run, type Run } from '../../support/app/process.ts';
import { createTestRedis } from '../../support/stores/redis.ts';
import { chance, report, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('beat-storm', {
  /** Schedulers killed, or stopped for a while. */
  faults: { ci: 20, full: 200 },
  /** Due over all schedules, ten every second. */
  slots: { ci: 200, full: 10_000 },
});
const SCHEDULERS = 3;
/** Due together every second. */
const SCHEDULES = 10;
/** Longest that a scheduler is stopped: a transaction left open is given up before. */
const MOST_STOPPED_MS = 8000;

const { integer, next } = chance();

test('a storm on schedulers: no slot is missed, none fires twice', async (t) => {
  const { db, start } = await openStage(t);
  const schedulers = await Promise.all(Array.from({ length: SCHEDULERS }, start));
  const startedMs = Date.now();
  const endsMs = startedMs + (SIZES.slots / SCHEDULES) * 1000;
  const pauseMs = (endsMs - startedMs) / SIZES.faults;
  const stopped: Promise<void>[] = [];
  let [kills, stops] = [0, 0];
  for (let fault = 0; fault < SIZES.faults; fault++) {
    await sleep(startedMs + (fault + next()) * pauseMs - Date.now());
    const at = integer(SCHEDULERS);
    const { child } = schedulers[at]!;
    if (integer(2) === 0) {
      kills++;
      child.kill('SIGKILL');
      schedulers[at] = await start();
    } else {
      stops++;
      child.kill('SIGSTOP');
      const resume = sleep(integer(MOST_STOPPED_MS)).then(() => void child.kill('SIGCONT'));
      stopped.push(resume);
    }
  }
  await sleep(Math.max(0, endsMs - Date.now()));
  await Promise.all(stopped);
  const until = new Date(endsMs);
  await eventually('nothing is owed', async () => (await laggards(db, until)) === 0);
  const { slots, lateMs, violations } = await examine(db, until);
  assert.ok(slots >= SIZES.slots * 0.9, `${slots} slots came due`);
  report(t, {
    figure: `${SCHEDULERS} schedulers, killed ${kills} x and stopped ${stops} x for up to ${MOST_STOPPED_MS / 1000} s`,
    result: `${slots} slots of ${SCHEDULES} schedules, ${violations.length} missed or fired twice; late by ${lateMs.median} ms (median), p99 ${lateMs.p99}, ${lateMs.most} at most`,
    violations,
  });
});

async function openStage(t: Parameters<typeof atEnd>[0]) {
  const database = await createTestDatabase();
  const redis = createTestRedis();
  const runs: Run[] = [];
  atEnd(t, async () => {
    for (const { child } of runs) child.kill('SIGKILL');
    await Promise.all(runs.map(({ ended }) => ended));
    await redis.clear();
    await database.drop();
  });
  const db = database.pool;
  await installLedger(db);
  const config = testConfig({
    databaseUrl: database.url,
    redisUrl: redis.url,
    queuePrefix: redis.prefix,
    schedules: 'on',
  });
  const env = {
    ...environmentOf(config),
    ROLE: 'scheduler',
    LOG_LEVEL: 'info',
    STORM_SCHEDULES: String(SCHEDULES),
  };
  const start = async (): Promise<Run> => {
    const scheduler = run(t, 'test/support/threads/worker-main.js', env);
    runs.push(scheduler);
    await scheduler.wrote(/process\.started/);
    return scheduler;
  };
  return { db, start };
}

/** Writes down every task that is accepted, where no code of ours does. */
async function installLedger(db: Pool): Promise<void> {
  await db.query(`
    CREATE TABLE storm_accepted (task_id uuid, xid text DEFAULT pg_current_xact_id()::text);
    CREATE FUNCTION note_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO storm_accepted (task_id) VALUES (NEW.id); RETURN NEW; END $$;
    CREATE TRIGGER note_accepted AFTER INSERT ON ai.tasks FOR EACH ROW EXECUTE FUNCTION note_accepted()`);
}

/** Schedules that are not yet dealt with up to a time. */
async function laggards(db: Pool, until: Date): Promise<number> {
  const { rowCount } = await db.query('SELECT FROM ai.schedules WHERE handled_to < $1', [until]);
  return rowCount ?? 0;
}

/** From what was accepted to what was due: every second, from the first slot to the last, has one task of each schedule. */
async function examine(db: Pool, until: Date) {
  const { rows } = await db.query<{ schedule: string; slot: Date; late: number; tasks: number }>(
    `SELECT s.schedule, s.slot, extract(epoch FROM s.fired_at - s.slot)::float * 1000 AS late,
       (SELECT count(*)::int FROM storm_accepted a WHERE a.task_id = s.task_id) AS tasks
     FROM ai.schedule_slots s WHERE s.slot <= $1 ORDER BY s.schedule, s.slot`,
    [until],
  );
  const violations: string[] = [];
  for (const { schedule, slot, tasks } of rows) {
    if (tasks !== 1) violations.push(`${schedule} at ${slot.toISOString()} has ${tasks} tasks`);
  }
  const kept = new Set(rows.map((row) => row.schedule));
  if (kept.size !== SCHEDULES) violations.push(`${kept.size} of ${SCHEDULES} schedules fired`);
  for (const schedule of kept) {
    const own = rows.filter((row) => row.schedule === schedule);
    const [first, last] = [own[0]!.slot.getTime(), own.at(-1)!.slot.getTime()];
    const due = (last - first) / 1000 + 1;
    if (own.length !== due) violations.push(`${schedule} fired ${own.length} of ${due} slots`);
    if (until.getTime() - last >= 1000) violations.push(`${schedule} ended too early`);
  }
  const { rows: strays } = await db.query<{ n: number }>(
    `SELECT (SELECT count(*)::int FROM storm_accepted) - (SELECT count(*)::int FROM ai.schedule_slots) AS n`,
  );
  if (strays[0]!.n !== 0) violations.push(`${strays[0]!.n} tasks more than slots`);
  const late = rows.map((row) => Math.round(row.late)).toSorted((a, b) => a - b);
  const at = (part: number): number =>
    late[Math.min(late.length - 1, Math.floor(late.length * part))]!;
  return {
    slots: rows.length,
    lateMs: { median: at(0.5), p99: at(0.99), most: at(1) },
    violations,
  };
}
