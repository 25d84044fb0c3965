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
