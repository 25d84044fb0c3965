/** What a graph does at single moments. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { transaction } from '../../../../db/stores/postgres.ts';
import { settleTasks, startTask, type End } from '../../../../db/tasks/attempts.ts';
import {
  checkGraph,
  endAndAdvance,
  endGraph,
  lockGraph,
} from '../../../../db/tasks/graphs/advance.ts';
import { findGraph } from '../../../../db/tasks/graphs/read.ts';
import { acceptGraph } from '../../../../db/tasks/graphs/store.ts';
import { reopenTask } from '../../../../db/tasks/requeue.ts';
import { chain, group, linkError, onError } from '../../../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../../jobs/framework/canvas/dag.ts';
import { toGraphRequest } from '../../../../jobs/framework/canvas/to-request.ts';
import type { DurableCallOptions } from '../../../../jobs/framework/options.ts';
import { KNOWN, plain } from '../../../faults/graphs/compositions.ts';
import { accept, database } from '../../../support/durable.ts';

const FAILED: End = { kind: 'failed', code: 'TASK_FAILED', message: 'It fails.' };
const DONE: End = { kind: 'succeeded', result: '"done"' };
const HOUR_MS = 3_600_000;

const call = (options: DurableCallOptions = {}) => {
  const id = randomUUID();
  return { id, signature: plain.s({ n: 1 }, { id, ...options }) };
};

async function enqueue(composition: Composite): Promise<string> {
  const request = toGraphRequest(composition, {}, KNOWN);
  return (await transaction(database.pool, (tx) => acceptGraph(tx, request))).id;
}

/** @returns the ids released; undefined for an end that is refused. */
async function end(id: string, epoch: string, how: End): Promise<string[] | undefined> {
  const { ended, released } = await endAndAdvance(database.pool, [id], (tx) =>
    settleTasks(tx, [{ fence: { id, epoch }, end: how }], 'wait'),
  );
  return ended[0] === true ? released.map((task) => task.id) : undefined;
}

async function run(id: string, how: End): Promise<string[] | undefined> {
  const start = await startTask(database.pool, id, 0);
  assert.ok(start);
  return end(id, start.epoch, how);
}

async function find(id: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database.pool.query(
    `SELECT status, extract(epoch FROM run_at - now()) > 3000 AS is_late, expires_at IS NOT NULL AS expires
     FROM ai.tasks WHERE id = $1`,
    [id],
  );
  return rows[0] as Record<string, unknown> | undefined;
}

test('a check finds nothing to do while the first task of a chain is to run', async () => {
  const id = await enqueue(chain(call().signature, call().signature));
  assert.deepEqual(await checkGraph(database.pool, id), { released: [], revoked: [] });
});

test('a graph of nothing but a task that it follows ends once it is checked', async () => {
  const dedupeKey = randomUUID();
  const other = await accept({ name: 'plain', payload: '{"n":1}', dedupeKey });
  const id = await enqueue(chain(call({ dedupeKey }).signature));
  await run(other.id, DONE);
  await checkGraph(database.pool, id);
  assert.equal((await findGraph(database.pool, id))?.status, 'done');
});

test('a task that waits, and that of a link, start no earlier than they were asked to', async () => {
  const eta = new Date(Date.now() + HOUR_MS);
  const [first, second] = [call(), call({ eta })];
  const link = call({ eta, expiresMs: 2 * HOUR_MS });
  await enqueue(
    linkError(chain(onError(first.signature, 'ignore'), second.signature), link.signature),
  );
  assert.deepEqual((await run(first.id, FAILED))?.toSorted(), [second.id, link.id].toSorted());
  assert.deepEqual(await find(second.id), { status: 'queued', is_late: true, expires: false });
  assert.deepEqual(await find(link.id), { status: 'queued', is_late: true, expires: true });
});

test('a check stores the task of a link for what an earlier release settled', async () => {
  const [first, link] = [call(), call()];
  const id = await enqueue(chain(linkError(first.signature, link.signature), call().signature));
  const start = await startTask(database.pool, first.id, 0);
  const fence = { id: first.id, epoch: start!.epoch };
  await settleTasks(database.pool, [{ fence, end: FAILED }], 'wait');
  const { released } = await checkGraph(database.pool, id);
  assert.deepEqual(
    released.map((task) => task.id),
    [link.id],
  );
});

test('a task fails although another has taken the id of its link', async () => {
  const [first, link] = [call(), call()];
  const id = await enqueue(chain(linkError(first.signature, link.signature)));
  await accept({ id: link.id });
  assert.deepEqual(await run(first.id, FAILED), []);
  const { status, cause } = (await findGraph(database.pool, id))!;
  assert.deepEqual({ status, cause }, { status: 'error', cause: first.id });
});

test('a worker that comes late to a revoked graph stores no task of a link', async () => {
  const [first, link] = [call(), call()];
  const id = await enqueue(chain(linkError(first.signature, link.signature)));
  const start = await startTask(database.pool, first.id, 0);
  await transaction(database.pool, async (tx) => {
    await lockGraph(tx, id);
    await endGraph(tx, id, 'TASK_REVOKED');
  });
  assert.equal(await end(first.id, start!.epoch, FAILED), undefined);
  assert.equal(await find(link.id), undefined);
});

test('the cause is the failure that counts, neither one that is ignored nor that of a link', async () => {
  const [ignored, failed, link] = [call(), call(), call()];
  const parts = group([
    onError(linkError(ignored.signature, link.signature), 'ignore'),
    failed.signature,
  ]);
  const id = await enqueue(parts);
  for (const each of [ignored, link, failed]) await run(each.id, FAILED);
  assert.equal((await findGraph(database.pool, id))?.cause, failed.id);
});

test('after a task is reopened, what waits for several waits again for all of them', async () => {
  const [a, b, c, d] = [call(), call(), call(), call()];
  await enqueue(
    dag({
      a: { run: a.signature },
      b: { run: onError(b.signature, 'ignore'), after: ['a'] },
      c: { run: c.signature, after: ['b'] },
      d: { run: d.signature, after: ['a', 'b'] },
    }),
  );
  await run(a.id, FAILED);
  await run(c.id, DONE);
  assert.equal(await reopenTask(database.pool, a.id, 0), 'reopened');
  assert.deepEqual(await run(a.id, DONE), [b.id]);
  assert.deepEqual(await run(b.id, DONE), [d.id]);
});
