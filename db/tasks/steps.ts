/** `ai.task_steps`: completed steps of a task, which later attempts reuse. */
import { transaction, type Pool, type Queryable } from '../stores/postgres.ts';
import { lockFence, type Fence } from './fence.ts';

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
    await lockFence(tx, fence);
    const stored = await findStep<T>(tx, fence.id, step);
    if (stored !== undefined) return stored.output;
    const text = JSON.stringify((await work(tx)) ?? null);
    await tx.query(
      'INSERT INTO ai.task_steps (task_id, step, epoch, output) VALUES ($1, $2, $3, $4)',
      [fence.id, step, fence.epoch, text],
    );
    return JSON.parse(text) as T;
  });
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
