/**
 * `ai.llm_calls`: what every call of a language model cost, and how it ended.
 */
import type { Queryable } from '../stores/postgres.ts';

export interface LlmCall {
  taskId: string;
  /** The step of the task that called; a step calls once. */
  step: string;
  provider: string;
  model: string;
  promptVersion: string;
  /** Null when the provider did not say. */
  promptTokens: number | null;
  completionTokens: number | null;
  latencyMs: number;
  /** `ok`, or the code of the failure. */
  status: string;
}

/** Records a call. The same task and step again changes nothing: the first record stands. */
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

/**
 * Keeps the calls of a task that is about to have another life under the name of their step and the new epoch. Their replies have
 * been judged: the new life is to ask anew.
 * @returns the steps that made them.
 */
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
