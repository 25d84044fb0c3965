/**
 * Prepares another run of the guided demo.
 */
import type { Queryable } from '../stores/postgres.ts';
import { forgetTasks } from '../tasks/prune.ts';

/** Deletes all feedback and its tasks, but keeps the insights that an owner edited. */
export async function forgetFeedback(db: Queryable): Promise<void> {
  await forgetTasks(db);
  await db.query('TRUNCATE ai.practice_feedback, ai.llm_calls');
  await db.query('UPDATE practices SET insight = NULL WHERE NOT insight_edited');
}
