/**
 * A vector store and an embedding model for one test file, and tasks that use them.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { VectorIndex } from '../../../db/daodao/vector-index.ts';
import { ALIASES, prepareVectors, type Kind } from '../../../db/daodao/vector-collections.ts';
import type { Vectors } from '../../../db/stores/qdrant.ts';
import { createEmbedder } from '../../../jobs/llm/openai/embedder.ts';
import type { EmbeddingModel } from '../../../jobs/llm/model.ts';
import { updateUserEmbeddings } from '../../../jobs/embeddings/task.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import type { Task } from '../../../jobs/framework/define.ts';
import type { Resources } from '../../../jobs/resources.ts';
import type { AttemptEnd } from '../../../workers/protocol.ts';
import { database, live, rowOf, scopeWith } from '../threads/attempts.ts';
import { startTestCoach, type TestCoach } from './coach.ts';
import { request } from '../tasks.ts';
import { startTestVectorStore, type TestVectorStore } from '../stores/vector-store.ts';

export const MODEL = { name: 'first', size: 64 };

let store: TestVectorStore;
export let client: Vectors;
/** Texts of every call of the model. */
export const asked: string[][] = [];
let coach: TestCoach;

before(async () => {
  store = await startTestVectorStore();
  coach = await startTestCoach();
  ({ client } = store);
  await prepareVectors(client, MODEL);
});
after(async () => {
  await coach.stop();
  await store.stop();
});

/** The model behind its client; what it is asked is written down. */
function listening(name: string, size: number): EmbeddingModel {
  const server = { baseUrl: coach.url, apiKey: 'test', timeoutMs: 5000 };
  const embedder = createEmbedder({ ...server, model: name, size });
  return {
    embed(texts, signal) {
      asked.push([...texts]);
      return embedder.embed(texts, signal);
    },
  };
}

export interface Given extends Partial<Resources> {
  model?: typeof MODEL;
}

/** Runs one attempt at a task with these resources. */
export async function runTask(
  { name }: Pick<Task, 'name'>,
  payload: object,
  { model = MODEL, ...given }: Given = {},
): Promise<{ outcome: AttemptEnd; result: unknown }> {
  const text = JSON.stringify(payload);
  const row = request({ name, payload: text });
  await acceptTask(database.pool, row);
  const facts = { queue: 'default', headers: {}, attempts: 0, createdAtMs: Date.now() };
  const job = { ...facts, id: row.id, task: name, payload: text };
  const embedder = listening(model.name, model.size);
  const vectors = new VectorIndex(async () => client, model);
  const outcome = await attempt(job, scopeWith({ embedder, vectors, ...given }), live);
  return { outcome, result: (await rowOf(job)).result };
}

/** Runs one attempt at an update. */
export async function update(
  payload: { userIds?: string[]; anew?: boolean },
  given?: Given,
): Promise<{ outcome: AttemptEnd; result: unknown }> {
  return runTask(updateUserEmbeddings, payload, given);
}

/** What the counts of an update were, without those that are 0. */
export async function updated(
  payload: { userIds?: string[]; anew?: boolean },
  given?: Given,
): Promise<Record<string, number>> {
  const { outcome, result } = await update(payload, given);
  assert.equal(outcome.kind, 'succeeded', JSON.stringify(outcome));
  const counts = Object.entries(result as Record<string, number>);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** The payload of a point, where reads look; undefined when it is not there. */
export async function pointOf(
  kind: Kind,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const [point] = await client.retrieve(ALIASES[kind], { ids: [id], with_payload: true });
  return point?.payload ?? undefined;
}
