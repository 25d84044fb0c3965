/** `ai.task_steps`: completed steps of a task, which later attempts reuse. */
import { transaction, type Pool, type Queryable } from '../stores/postgres.ts';
import { FENCED_ROW, lockFence, type Fence } from './fence.ts';

/**
 * Runs `work` and stores its output under `(task, step)` in one transaction. If the step is stored already, returns its output
 * without running `work`. The output passes through JSON, so a first run returns what a repeat would.
 * @throws {StaleEpochError} before `work` when the fence is stale.
 */
export async function runStep<T>(
  pool: Pool,
  fence: Fence,
  step: string,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return transaction(pool, async (tx) => {
    // One round trip: the connection runs the second once the first has its lock.
    const [, stored] = await Promise.all([lockFence(tx, fence), findStep<T>(tx, fence.id, step)]);
    if (stored !== undefined) return stored.output;
    const text = JSON.stringify((await work(tx)) ?? null);
    await tx.query(
      'INSERT INTO ai.task_steps (task_id, step, epoch, output) VALUES ($1, $2, $3, $4)',
      [fence.id, step, fence.epoch, text],
    );
    return JSON.parse(text) as T;
  });
}

/**
 * Stores the output of work that wrote nothing here, in one statement. If the step has been stored meanwhile, returns that output.
 * @throws {StaleEpochError} when the fence is stale.
 */
export async function storeStep<T>(pool: Pool, fence: Fence, step: string, output: T): Promise<T> {
  const text = JSON.stringify(output ?? null);
  const { rowCount } = await pool.query(
    `INSERT INTO ai.task_steps (task_id, step, epoch, output) SELECT $1, $3, $2, $4 ${FENCED_ROW} ON CONFLICT DO NOTHING`,
    [fence.id, fence.epoch, step, text],
  );
  if (rowCount === 1) return JSON.parse(text) as T;
  return runStep(pool, fence, step, async () => output);
}

/** The stored output, wrapped because it may be null. */
export async function findStep<T>(
  db: Queryable,
  taskId: string,
  step: string,
): Promise<{ output: T } | undefined> {
  const { rows } = await db.query<{ output: T }>(
    'SELECT output FROM ai.task_steps WHERE task_id = $1 AND step = $2',
    [taskId, step],
  );
  return rows[0];
}

export async function findStepNames(db: Queryable, taskId: string): Promise<string[]> {
  const { rows } = await db.query<{ step: string }>(
    'SELECT step FROM ai.task_steps WHERE task_id = $1',
    [taskId],
  );
  return rows.map(({ step }) => step);
}

/** Deletes steps, so that the next attempt runs them again. */
export async function forgetSteps(
  db: Queryable,
  taskId: string,
  steps: readonly string[],
): Promise<void> {
  await db.query('DELETE FROM ai.task_steps WHERE task_id = $1 AND step = ANY($2)', [
    taskId,
    steps,
  ]);
}
