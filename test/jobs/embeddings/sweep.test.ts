import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareVectors, useModel } from '../../../db/daodao/vector-collections.ts';
import { LlmError } from '../../../jobs/llm/error.ts';
import { database, told } from '../../support/threads/attempts.ts';
import { asked, client, MODEL, pointOf, update, updated } from '../../support/domain/embeddings.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/domain/practices.ts';

/** A model that does not take texts with this in them. */
function refusing(word: string) {
  return {
    async embed(texts: readonly string[]) {
      if (texts.some((text) => text.includes(word))) throw new LlmError('refused', { status: 400 });
      const vectors = texts.map(() => Array.from({ length: MODEL.size }, () => 1));
      return { vectors, provider: 'p', model: 'm', promptTokens: 1, latencyMs: 1 };
    },
  };
}

test('a sweep embeds whatever has changed, in few calls, goes on where it was stopped, and moves reads to a new model', async () => {
  const users = [];
  for (let n = 0; n < 120; n++) {
    users.push(await insertUser(database.pool, { interest_list: [`興趣 ${n}`] }));
  }
  const [first, second] = users;
  const practice = await insertPractice(database.pool, first!.id, { privacy_status: 'public' });

  asked.length = 0;
  let calls = 0;
  const embedder = {
    embed: () => Promise.reject(new LlmError('unavailable')),
  };
  const { outcome: stopped } = await update({}, { embedder });
  assert.equal(stopped.kind, 'retry');

  const all = await updated({});
  calls = asked.length;
  assert.deepEqual(all, { users: 120, embedded: 121, calls });
  assert.ok(calls <= 5, `${calls} calls`);
  assert.deepEqual(await updated({}), {});

  await insertCheckIn(database.pool, practice.id, first!.id, '2026-03-01', { note: '新的一頁' });
  await database.pool.query(
    `UPDATE users SET tag_list = '{茶}', updated_at = now() WHERE id = $1`,
    [second!.id],
  );
  const changed = await updated({});
  assert.deepEqual(changed, { users: 2, embedded: 2, unchanged: 1, calls: 2 });

  assert.deepEqual(await updated({ anew: true }), { users: 120, embedded: 121, calls });

  const next = { name: 'second', size: 32 };
  await prepareVectors(client, next);
  const before = await client.getAliases();
  assert.ok(before.aliases.every(({ collection_name: name }) => name.endsWith('first_64')));
  assert.deepEqual(await updated({}, { model: next }), { users: 120, embedded: 121, calls });
  const { aliases } = await client.getAliases();
  assert.ok(aliases.every(({ collection_name: name }) => name.endsWith('second_32')));
  assert.equal((await pointOf('practices', practice.externalId))?.['removed'], false);
  await useModel(client, MODEL);
});

test('a text that the model refuses is left out of every sweep, and everyone after it is embedded', async () => {
  const refused = await insertUser(database.pool, { interest_list: ['毒'] });
  for (let n = 0; n < 70; n++) await insertUser(database.pool, { interest_list: [`好 ${n}`] });
  const embedder = refusing('毒');
  told.length = 0;
  const { embedded, refused: count } = await updated({}, { embedder });
  assert.deepEqual([embedded, count], [70, 1]);
  const logged = told.filter(({ type }) => type === 'log');
  assert.equal(logged.length, 1);
  assert.match(JSON.stringify(logged), new RegExp(`refuses a text.*${refused.externalId}`));
  assert.deepEqual(await updated({}, { embedder }), { users: 1, refused: 1, calls: 1 });
  assert.deepEqual(await updated({}), { users: 1, embedded: 1, calls: 1 });
});

test('a model that refuses everything ends the sweep', async () => {
  await insertUser(database.pool, { interest_list: ['茶'] });
  const { outcome } = await update({}, { embedder: refusing('') });
  assert.deepEqual(
    [outcome.kind, 'code' in outcome && outcome.code],
    ['failed', 'LLM_UNAVAILABLE'],
  );
});
