import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { VectorIndex } from '../../../db/daodao/vector-index.ts';
import { connectVectors } from '../../../db/stores/qdrant.ts';
import { LlmError } from '../../../jobs/llm/error.ts';
import { database } from '../../support/threads/attempts.ts';
import { asked, client, MODEL, pointOf, update, updated } from '../../support/domain/embeddings.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/domain/practices.ts';

const set = (table: string, id: number, change: string): Promise<unknown> =>
  database.pool.query(`UPDATE ${table} SET ${change}, updated_at = now() WHERE id = ${id}`);

async function learner(columns = {}) {
  const user = await insertUser(database.pool, {
    interest_list: ['日語'],
    tag_list: ['語言'],
    ...columns,
  });
  const practice = await insertPractice(database.pool, user.id, {
    title: '每天十分鐘日語',
    status: 'active',
    privacy_status: 'public',
    tags: ['日語'],
  });
  return { user, practice };
}

test('a user and a practice get points; asked again, nothing has changed and no model is asked', async () => {
  const { user, practice } = await learner();
  asked.length = 0;
  assert.deepEqual(await updated({ userIds: [user.externalId] }), {
    users: 1,
    embedded: 2,
    calls: 2,
  });
  assert.deepEqual(asked, [['每天十分鐘日語\n日語'], ['日語\n語言\n每天十分鐘日語']]);
  const {
    version,
    content_hash: hash,
    ...payload
  } = (await pointOf('practices', practice.externalId))!;
  assert.deepEqual(payload, {
    entity_id: practice.externalId,
    owner: user.externalId,
    tags: ['日語'],
    status: 'active',
    privacy: 'public',
    locale: 'zh-TW',
    removed: false,
  });
  assert.match(String(hash), /^[0-9a-f]{64}$/);
  assert.ok(Number(version) > 0);
  assert.deepEqual(await updated({ userIds: [user.externalId] }), { users: 1, unchanged: 2 });
  assert.equal(asked.length, 2);
});

test('other facts with the same text keep the vector and cost no call', async () => {
  const { user, practice } = await learner();
  await updated({ userIds: [user.externalId] });
  await set('practices', practice.id, `status = 'completed'`);
  const counts = await updated({ userIds: [user.externalId] });
  assert.deepEqual(counts, { users: 1, relabelled: 1, unchanged: 1 });
  assert.equal((await pointOf('practices', practice.externalId))?.['status'], 'completed');
});

for (const [what, change] of [
  ['un-published', `privacy_status = 'private'`],
  ['delayed', `privacy_status = 'delayed'`],
  ['archived', `status = 'archived'`],
  ['deleted', 'deleted_at = now()'],
] as const) {
  test(`a practice that is ${what} is not found any more, and comes back when that is undone`, async () => {
    const { user, practice } = await learner();
    await updated({ userIds: [user.externalId] });
    await set('practices', practice.id, change);
    const counts = await updated({ userIds: [user.externalId] });
    assert.equal(counts['removed'], 1);
    const { version, ...tombstone } = (await pointOf('practices', practice.externalId))!;
    assert.ok(Number(version) > 0);
    assert.deepEqual(tombstone, { removed: true });
    await set(
      'practices',
      practice.id,
      `privacy_status = 'public', status = 'active', deleted_at = NULL`,
    );
    await updated({ userIds: [user.externalId] });
    assert.equal((await pointOf('practices', practice.externalId))?.['removed'], false);
  });
}

test('notes are read of public practices only, and private practices stay with their owner', async () => {
  const { user, practice } = await learner();
  const secret = await insertPractice(database.pool, user.id, {
    title: '秘密',
    privacy_status: 'private',
  });
  await insertCheckIn(database.pool, practice.id, user.id, '2026-03-01', { note: '今天開口了' });
  await insertCheckIn(database.pool, secret.id, user.id, '2026-03-01', { note: '不能說' });
  asked.length = 0;
  await updated({ userIds: [user.externalId] });
  const [practices, users] = asked;
  assert.deepEqual(practices, ['每天十分鐘日語\n日語\n今天開口了']);
  assert.match(users![0]!, /秘密/);
  assert.doesNotMatch(users![0]!, /不能說/);
  assert.equal(await pointOf('practices', secret.externalId), undefined);
});

test('a user who has told nothing has no point, and loses it with the last word', async () => {
  const { id, externalId } = await insertUser(database.pool, { tag_list: ['茶'] });
  await updated({ userIds: [externalId] });
  await set('users', id, `tag_list = '{}'`);
  assert.deepEqual(await updated({ userIds: [externalId] }), { users: 1, removed: 1 });
  const blank = await insertUser(database.pool);
  assert.deepEqual(await updated({ userIds: [blank.externalId] }), { users: 1, unchanged: 1 });
  assert.equal(await pointOf('users', blank.externalId), undefined);
});

test('a writer that was overtaken brings nothing back, though its points come last', async () => {
  const { user, practice } = await learner();
  let release = (): void => undefined;
  let arrived = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrived = resolve));
  const gate = new Promise<void>((resolve) => (release = resolve));
  class Slow extends VectorIndex {
    override async write(...args: Parameters<VectorIndex['write']>): Promise<void> {
      arrived();
      await gate;
      return super.write(...args);
    }
  }
  const slow = updated(
    { userIds: [user.externalId] },
    { vectors: new Slow(async () => client, MODEL) },
  );
  await reached;
  await set('practices', practice.id, `privacy_status = 'private'`);
  assert.equal((await updated({ userIds: [user.externalId] }))['removed'], 1);
  release();
  await slow;
  assert.equal((await pointOf('practices', practice.externalId))?.['removed'], true);
  const again = await updated({ userIds: [user.externalId] });
  assert.equal(again['embedded'], undefined);
});

test('what was killed between the point and its note is written again, with a newer version', async () => {
  const { user, practice } = await learner();
  class Dying extends VectorIndex {
    override async write(...args: Parameters<VectorIndex['write']>): Promise<void> {
      await super.write(...args);
      throw new Error('killed');
    }
  }
  const { outcome } = await update(
    { userIds: [user.externalId] },
    { vectors: new Dying(async () => client, MODEL) },
  );
  assert.equal(outcome.kind, 'retry');
  const before = await pointOf('practices', practice.externalId);
  assert.equal((await updated({ userIds: [user.externalId] }))['embedded'], 2);
  const after = await pointOf('practices', practice.externalId);
  assert.ok(Number(after?.['version']) > Number(before?.['version']));
});

test('a vector store that is away costs no attempt, a model that is away costs one', async () => {
  const { user } = await learner();
  const away = await connectVectors({ qdrantUrl: 'http://127.0.0.1:9', qdrantApiKey: undefined });
  const vectors = new VectorIndex(async () => away, MODEL);
  const { outcome: released } = await update({ userIds: [user.externalId] }, { vectors });
  assert.deepEqual(
    [released.kind, 'reason' in released && released.reason],
    ['released', 'a store is unavailable'],
  );
  const embedder = { embed: () => Promise.reject(new LlmError('unavailable')) };
  const { outcome: retried } = await update({ userIds: [user.externalId] }, { embedder });
  assert.deepEqual([retried.kind, 'code' in retried && retried.code], ['retry', 'LLM_UNAVAILABLE']);
});

test('what a call has made is written and recorded before the next one, which may fail', async () => {
  const user = await insertUser(database.pool, { interest_list: ['茶'] });
  const practice = { status: 'active', privacy_status: 'public' };
  for (let n = 0; n < 130; n++) {
    await insertPractice(database.pool, user.id, { ...practice, title: `第 ${n} 個` });
  }
  const paid: string[] = [];
  let calls = 0;
  const embedder = {
    async embed(texts: readonly string[]) {
      if (++calls === 3) throw new LlmError('unavailable');
      paid.push(...texts);
      const vectors = texts.map(() => Array.from({ length: MODEL.size }, () => 1));
      return { vectors, provider: 'p', model: 'm', promptTokens: 1, latencyMs: 1 };
    },
  };
  const recorded = async () => {
    const { rows } = await database.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ai.llm_calls WHERE provider = 'p'`,
    );
    return rows[0]!.n;
  };
  const { outcome } = await update({ userIds: [user.externalId] }, { embedder });
  assert.equal(outcome.kind, 'retry');
  assert.equal(await recorded(), 2);
  await updated({ userIds: [user.externalId] }, { embedder });
  assert.equal(new Set(paid).size, 131);
  assert.equal(paid.length, 131);
  assert.equal(await recorded(), calls - 1);
});

test('unknown users are left out', async () => {
  assert.deepEqual(await updated({ userIds: [randomUUID()] }), { users: 1 });
});
