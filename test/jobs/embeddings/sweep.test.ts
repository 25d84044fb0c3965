import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareVectors, useModel } from '../../../db/vectors.ts';
import { LlmError } from '../../../jobs/llm/error.ts';
import { database } from '../../support/attempts.ts';
import { asked, client, MODEL, pointOf, update, updated } from '../../support/embeddings.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/practices.ts';

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
