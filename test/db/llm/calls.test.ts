import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { recordLlmCall, type LlmCall } from '../../../db/llm/calls.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
});

after(() => database.drop());

const call: LlmCall = {
  taskId: randomUUID(),
  step: 'llm',
  provider: 'offline',
  model: 'coach',
  promptVersion: '1',
  promptTokens: 900,
  completionTokens: null,
  latencyMs: 1234.56,
  status: 'ok',
};

test('a call is recorded once for a step, its repair as another', async () => {
  await recordLlmCall(database.pool, call);
  await recordLlmCall(database.pool, { ...call, status: 'LLM_UNAVAILABLE' });
  await recordLlmCall(database.pool, { ...call, step: 'llm:repair', completionTokens: 80 });
  const { rows } = await database.pool.query(
    `SELECT step, provider, model, prompt_version, prompt_tokens, completion_tokens, latency_ms, status
     FROM ai.llm_calls WHERE task_id = $1 ORDER BY step`,
    [call.taskId],
  );
  const recorded = {
    step: 'llm',
    provider: 'offline',
    model: 'coach',
    prompt_version: '1',
    prompt_tokens: 900,
    completion_tokens: null,
    latency_ms: 1235,
    status: 'ok',
  };
  assert.deepEqual(rows, [recorded, { ...recorded, step: 'llm:repair', completion_tokens: 80 }]);
});
