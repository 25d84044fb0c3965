/** `ai.llm_calls`: cost and outcome of each language model call. */
import type { Queryable } from '../stores/postgres.ts';

export interface LlmCall {
  taskId: string;
  /** The step that made the call; at most one call per step. */
  step: string;
  provider: string;
  model: string;
  promptVersion: string;
  /** Null when the provider does not report it. */
  promptTokens: number | null;
  completionTokens: number | null;
  latencyMs: number;
  /** `ok`, or the failure code. */
  status: string;
}

/** Idempotent per task and step: the first record stands. */
export async function recordLlmCall(db: Queryable, call: LlmCall): Promise<void> {
  await db.query(
    `INSERT INTO ai.llm_calls
       (task_id, step, provider, model, prompt_version, prompt_tokens, completion_tokens, latency_ms, status)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (task_id, step) DO NOTHING`,
    [
      call.taskId,
      call.step,
      call.provider,
      call.model,
      call.promptVersion,
      call.promptTokens,
      call.completionTokens,
      Math.round(call.latencyMs),
      call.status,
    ],
  );
}

export interface StoredReply<Reply> {
  reply: Reply;
  /** Whether `ai.llm_calls` has the call, under the task that made it. */
  isRecorded: boolean;
}

/**
 * The replies, by step, that an ended task of this name and subject has stored for the same input: of the newest one that has a reply
 * of `firstStep`, unless its replies could not be used. A revoked task counts: its calls were paid for.
 */
export async function findStoredReplies<Reply>(
  db: Queryable,
  task: { name: string; subject: string; inputHash: string; firstStep: string },
): Promise<Map<string, StoredReply<Reply>>> {
  const { rows } = await db.query<StoredReply<Reply> & { step: string }>(
    `SELECT step, output AS reply, EXISTS (
       SELECT FROM ai.llm_calls c WHERE c.task_id = s.task_id AND c.step = s.step) AS "isRecorded"
     FROM ai.stored_steps($1, $2, $3, $4) s`,
    [task.name, task.subject, task.inputHash, task.firstStep],
  );
  return new Map(rows.map(({ step, ...stored }) => [step, stored]));
}

/** Sets a reopened task's recorded calls aside as `step@epoch`, as it must call the model again. @returns their original steps. */
export async function setCallsAside(
  tx: Queryable,
  { id, epoch, steps }: { id: string; epoch: string; steps: readonly string[] },
): Promise<string[]> {
  const { rows } = await tx.query<{ step: string }>(
    `UPDATE ai.llm_calls SET step = step || '@' || $2 WHERE task_id = $1 AND step = ANY($3) RETURNING step`,
    [id, epoch, steps],
  );
  return rows.map(({ step }) => step.slice(0, -`@${epoch}`.length));
}
