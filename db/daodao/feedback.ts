/** `ai.practice_feedback`, and the practice's `insight`, which the product shows. */
import { AppError } from '../../base/errors.ts';
import type { Queryable } from '../stores/postgres.ts';

interface FeedbackText {
  /** Three paragraphs separated by newlines, without Markdown or headings. */
  text: string;
  sections: { breakthrough: string; rhythm: string; insight: string };
}

export interface NewFeedback extends FeedbackText {
  taskId: string;
  practiceId: string;
  /** External id of the practice's owner. Default: any. */
  ownerId?: string | undefined;
  locale: 'zh-TW' | 'en';
  inputHash: string;
  promptVersion: string;
  provider: string;
  model: string;
}

export interface Feedback extends FeedbackText {
  practiceId: string;
  locale: 'zh-TW' | 'en';
  provider: string;
  model: string;
  taskId: string;
  /** Increments with every new text of a practice. */
  version: number;
  createdAt: string;
}

interface FeedbackRow {
  practice_id: string;
  locale: Feedback['locale'];
  text: string;
  breakthrough: string;
  rhythm: string;
  insight: string;
  provider: string;
  model: string;
  task_id: string;
  version: number;
  created_at: Date;
}

const COLUMNS = `practice_id, locale, text, breakthrough, rhythm, insight, provider, model, task_id,
  version, created_at`;

/**
 * Stores feedback, and copies it to the practice's insight unless the owner has edited that. Call it within an effect transaction:
 * it locks the practice to the end, so that versions are consecutive and no owner's edit is overwritten.
 * @returns the stored feedback and whether the insight was replaced.
 * @throws {AppError} `PRACTICE_NOT_FOUND` when the practice has been deleted in the meantime, or is not the owner's.
 */
export async function saveFeedback(
  tx: Queryable,
  feedback: NewFeedback,
): Promise<{ feedback: Feedback; insightReplaced: boolean }> {
  const { practiceId, ownerId, text } = feedback;
  const practices = await tx.query<{ insight_edited: boolean }>(
    `SELECT insight_edited FROM practices WHERE external_id = $1 AND deleted_at IS NULL
       AND ($2::text IS NULL OR (SELECT external_id::text FROM users WHERE id = practices.user_id) = lower($2)) FOR UPDATE`,
    [practiceId, ownerId],
  );
  const practice = practices.rows[0];
  if (practice === undefined) throw new AppError('PRACTICE_NOT_FOUND');
  const stored = await insertFeedback(tx, feedback);
  const insightReplaced = !practice.insight_edited;
  if (insightReplaced) {
    await tx.query('UPDATE practices SET insight = $2, updated_at = now() WHERE external_id = $1', [
      practiceId,
      text,
    ]);
  }
  return { feedback: stored, insightReplaced };
}

async function insertFeedback(tx: Queryable, feedback: NewFeedback): Promise<Feedback> {
  const { breakthrough, rhythm, insight } = feedback.sections;
  const { rows } = await tx.query<FeedbackRow>(
    `INSERT INTO ai.practice_feedback
       (task_id, practice_id, version, locale, text, breakthrough, rhythm, insight, input_hash, prompt_version, provider, model)
     SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11
     FROM ai.practice_feedback WHERE practice_id = $2
     RETURNING ${COLUMNS}`,
    [
      feedback.taskId,
      feedback.practiceId,
      feedback.locale,
      feedback.text,
      breakthrough,
      rhythm,
      insight,
      feedback.inputHash,
      feedback.promptVersion,
      feedback.provider,
      feedback.model,
    ],
  );
  return fromRow(rows[0]!);
}

/** The newest feedback of a practice by its external id, a UUID, in `locale` or in any. */
export async function findFeedback(
  db: Queryable,
  practiceId: string,
  locale?: string,
): Promise<Feedback | undefined> {
  const { rows } = await db.query<FeedbackRow>(
    `SELECT ${COLUMNS} FROM ai.practice_feedback
     WHERE practice_id = $1 AND ($2::text IS NULL OR locale = $2)
     ORDER BY version DESC LIMIT 1`,
    [practiceId, locale],
  );
  return rows[0] && fromRow(rows[0]);
}

function fromRow(row: FeedbackRow): Feedback {
  return {
    practiceId: row.practice_id,
    locale: row.locale,
    text: row.text,
    sections: { breakthrough: row.breakthrough, rhythm: row.rhythm, insight: row.insight },
    provider: row.provider,
    model: row.model,
    taskId: row.task_id,
    version: row.version,
    createdAt: row.created_at.toISOString(),
  };
}
