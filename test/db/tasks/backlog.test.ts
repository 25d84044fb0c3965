import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { measureBacklog } from '../../../db/tasks/backlog.ts';
import { pruneTasks } from '../../../db/tasks/prune.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { acceptAndStart, failTask, request, sameWork, succeedTask } from '../../support/tasks.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const query = (text: string, values?: unknown[]) => database.pool.query(text, values);

test('the backlog is what is due and has not begun, as old as the oldest of it', async () => {
  const { pool } = database;
  assert.deepEqual(await measureBacklog(pool, 100), { tasks: 0, ageMs: 0 });
  await acceptAndStart(pool);
  await acceptTask(pool, request({ delayMs: 60_000 }));
  const key = { dedupeKey: 'backlog', trailing: true };
  const { id } = await acceptTask(pool, request(key));
  await startTask(pool, id, 0);
  await acceptTask(pool, request(key));
  assert.equal((await measureBacklog(pool, 100)).tasks, 0, 'begun, delayed or after another one');

  const due = [];
  for (let i = 0; i < 3; i++) due.push(await acceptTask(pool, request()));
  await query(`UPDATE ai.tasks SET created_at = now() - interval '90 seconds' WHERE id = $1`, [
    due[1]!.id,
  ]);
  const { tasks, ageMs } = await measureBacklog(pool, 100);
  assert.equal(tasks, 3);
  assert.ok(ageMs >= 90_000 && ageMs < 95_000, `${ageMs}`);
  assert.equal((await measureBacklog(pool, 2)).tasks, 2);
});

test('finished tasks and keys of requests go when they are old enough, the oldest first; others stay', async () => {
  const { pool } = database;
  const ends = [
    await acceptAndStart(pool),
    await acceptAndStart(pool, { ...sameWork(), idempotencyKey: 'k' }),
    await acceptAndStart(pool),
  ];
  await succeedTask(pool, ends[0]!, 'null');
  await failTask(pool, ends[1]!, { code: 'TASK_FAILED', message: 'no' });
  await succeedTask(pool, ends[2]!, 'null');
  const unfinished = await acceptAndStart(pool);
  await query(`UPDATE ai.tasks SET created_at = now() - interval '9 days' WHERE id = $1`, [
    unfinished.id,
  ]);
  for (const [index, days] of [5, 4, 1].entries()) {
    await query("UPDATE ai.tasks SET finished_at = now() - $2 * interval '1 day' WHERE id = $1", [
      ends[index]!.id,
      days,
    ]);
  }
  const left = async () => {
    const rows = await Promise.all([...ends, unfinished].map(({ id }) => findTask(pool, id)));
    return rows.map((row) => row !== undefined);
  };
  const threeDays = { ms: 3 * 86_400_000, perPerson: 1000 };
  assert.equal(await pruneTasks(pool, threeDays, 1), 1);
  assert.deepEqual(await left(), [false, true, true, true]);
  assert.equal(await pruneTasks(pool, threeDays, 10), 0, 'a key leads to the next one');
  await query(`UPDATE ai.idempotency_keys SET created_at = now() - interval '24 hours 1 second'`);
  assert.equal(await pruneTasks(pool, threeDays, 10), 1);
  assert.deepEqual(await left(), [false, false, true, true]);
  assert.equal((await query('SELECT FROM ai.idempotency_keys')).rowCount, 0, 'its key went along');
  assert.equal(await pruneTasks(pool, threeDays, 10), 0);

  await acceptTask(pool, request({ ...sameWork(), idempotencyKey: 'old' }));
  await acceptTask(pool, request({ ...sameWork(), idempotencyKey: 'young' }));
  await query(
    `UPDATE ai.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'`,
  );
  assert.equal(await pruneTasks(pool, threeDays, 10), 1);
  const { rows } = await query('SELECT key FROM ai.idempotency_keys');
  assert.deepEqual(rows, [{ key: 'young' }]);
});
