/**
 * Another go for the guided run.
 */
import type { Queryable } from '../stores/postgres.ts';
import { forgetTasks } from '../tasks/prune.ts';

/** Clears all feedback and its tasks. Insights that an owner edited stay. */
export async function forgetFeedback(db: Queryable): Promise<void> {
  await forgetTasks(db);
  await db.query('TRUNCATE ai.practice_feedback, ai.llm_calls');
  await db.query('UPDATE practices SET insight = NULL WHERE NOT insight_edited');
}
