/**
 * The application behind a pooler that gives each transaction another server connection.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPool, transaction, type Pool } from '../../../db/stores/postgres.ts';
import { atEnd } from '../../support/at-end.ts';
import { startTestApp, type TaskBody } from '../../support/app/app.ts';
import { pgbouncerVersion, startPgbouncer } from '../../support/stores/pgbouncer.ts';
import { createTestDatabase } from '../../support/stores/postgres.ts';

const skip = pgbouncerVersion() === undefined && 'pgbouncer is not installed';

test('feedback is requested, written and read', { skip }, async (t) => {
  const app = await startTestApp(async ({ database }) => {
    const pooler = await startPgbouncer(database.url);
    atEnd(t, () => pooler.stop());
    return { databaseUrl: pooler.url, databasePooler: 'transaction' };
  });
  atEnd(t, () => app.stop());
  const people = await Promise.all(Array.from({ length: 10 }, () => app.person()));
  const ends = await Promise.all(
    people.map(async (person) => {
      const path = `/practices/${await person.practice()}/feedback`;
      const { status, body } = await person.call<{ task_id: string }>('POST', path);
      assert.equal(status, 202);
      const ended = await person.call<TaskBody>('GET', `/tasks/${body.task_id}?wait=20`);
      return ended.body.status;
    }),
  );
  assert.deepEqual(
    ends,
    people.map(() => 'done'),
  );
});

test(
  'limits and refusals come with each transaction, and nothing stays behind',
  { skip },
  async (t) => {
    const database = await createTestDatabase();
    const pooler = await startPgbouncer(database.url);
    const open = (readOnly: boolean): Pool =>
      createPool(pooler.url, { max: 10, name: 'test', readOnly, pooler: 'transaction' });
    const [pool, reader] = [open(false), open(true)];
    atEnd(t, async () => {
      await Promise.all([pool.end(), reader.end()]);
      await pooler.stop();
      await database.drop();
    });
    const limits = `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
    current_setting('idle_in_transaction_session_timeout') AS idle`;
    const { rows } = await transaction(pool, (tx) => tx.query(limits));
    assert.deepEqual(rows, [{ lock: '2s', statement: '10s', idle: '5s' }]);
    await assert.rejects(reader.query('CREATE TABLE written (id int)'), /read-only/);
    await pool.query('CREATE TABLE written (id int)');
    // More at a time than the pooler has server connections: each serves many of these sessions.
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 === 0 ? pool : reader).query<{ n: number }>('SELECT $1::int AS n', [index]),
      ),
    );
    assert.deepEqual(
      answers.map((answer) => answer.rows[0]!.n),
      Array.from({ length: 100 }, (_, index) => index),
    );
    const after = await pool.query(limits);
    assert.notDeepEqual(after.rows, rows);
  },
);
