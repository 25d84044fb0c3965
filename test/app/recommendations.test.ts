/**
 * Recommendations over HTTP, on the seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectVectors } from '../../db/stores/qdrant.ts';
import { ALIASES } from '../../db/daodao/vector-collections.ts';
import type { Answer } from '../support/app/app.ts';
import { environmentOf, run } from '../support/app/process.ts';
import {
  cards,
  embed,
  refresh,
  type Accepted,
  type Card,
  type Envelope,
} from '../support/app/front-end.ts';
import { startWhole } from '../support/app/whole.ts';

const LEARNER = '念安';

test('cards of the seed fit, tell why, and follow what people say and do', async (t) => {
  const whole = await startWhole(t);
  const everyone = await Promise.all(
    ['小禾', '阿哲', '佩君', LEARNER, 'Emily'].map((nickname) => whole.as(nickname)),
  );
  for (const who of everyone) await embed(whole, who);
  const learner = everyone[3]!;

  assert.deepEqual(await refresh(whole, learner), { users: 1, missing: [] });
  const first = await cards(learner);
  assert.deepEqual(
    new Set(first.slice(0, 2).map(({ title }) => title)),
    new Set(['每天十分鐘日語聽力', '抄寫日文歌詞']),
  );
  for (const card of first.slice(0, 2)) {
    assert.equal(card.matchReasonCode, 'tag_match');
    assert.equal(card.matchReasonText, '你也關注「日語」');
  }

  await t.test('nobody is shown private, delayed or own practices', async () => {
    for (const who of everyone) {
      await refresh(whole, who);
      for (const card of await cards(who)) {
        assert.notEqual(card.creator.id, who.externalId);
        assert.ok(
          !['把睡不著的念頭寫下來', '每週畫兩張不修改的水彩'].includes(card.title),
          card.title,
        );
      }
    }
  });

  await t.test('a new member gets what is popular', async () => {
    const newcomer = await whole.as('新島民');
    await refresh(whole, newcomer);
    const shown = await cards(newcomer);
    assert.ok(shown.length > 3);
    assert.deepEqual([...new Set(shown.map((card) => card.matchReasonCode))], ['popular_content']);
  });

  await t.test('an English reader gets English reasons', async () => {
    const emily = await whole.as('Emily');
    const [card] = await cards(emily);
    assert.match(card!.matchReasonText, /^(Many people|You follow|Close to|From someone)/);
  });

  await t.test(
    'a dislike hides a card at once and for good, and the same again brings it back',
    async () => {
      const { practiceId } = first[0]!;
      const judge = (feedbackType: string) =>
        learner.call<Envelope<{ practiceId: string; feedbackState: string }>>(
          'POST',
          `/api/v1/recommendation/topic_cards/${practiceId}/feedback`,
          { body: { feedbackType } },
        );
      const isShown = async () =>
        (await cards(learner)).some((card) => card.practiceId === practiceId);
      assert.deepEqual((await judge('dislike')).body.data, {
        practiceId,
        feedbackState: 'disliked',
      });
      assert.equal(await isShown(), false);
      await refresh(whole, learner);
      assert.equal(await isShown(), false);
      assert.equal((await judge('dislike')).body.data.feedbackState, 'neutral');
      await refresh(whole, learner);
      assert.equal(await isShown(), true);
      assert.equal((await judge('like')).body.data.feedbackState, 'liked');
      const liked = (await cards(learner)).find((card) => card.practiceId === practiceId);
      assert.equal(liked?.feedbackState, 'liked');
      const odd = await judge('love');
      assert.deepEqual([odd.status, odd.body.error?.code], [422, 'VERDICT_UNSUPPORTED']);
      const path =
        '/api/v1/recommendation/topic_cards/00000000-0000-4000-8000-000000000000/feedback';
      const unknown = await learner.call<Envelope<null>>('POST', path, {
        body: { feedbackType: 'like' },
      });
      assert.deepEqual([unknown.status, unknown.body.error?.code], [404, 'PRACTICE_NOT_SHOWN']);
    },
  );

  await t.test('goals that change three times are one update, and the cards follow', async () => {
    const { pool } = whole.database;
    const accepted: Accepted[] = [];
    for (const goal of ['水彩', '攝影', '跑步']) {
      await pool.query(
        `UPDATE users SET tag_list = $2, interest_list = $2, want_to_do_list = $2, updated_at = now() WHERE external_id = $1`,
        [learner.externalId, [goal === '跑步' ? '程式' : goal]],
      );
      accepted.push(await learner.call('POST', '/users/me/embeddings'));
    }
    assert.equal(new Set(accepted.map(({ body }) => body.task_id)).size, 1);
    await whole.done(learner, accepted[0]!);
    await refresh(whole, learner);
    const [best] = await cards(learner);
    assert.deepEqual(
      [best!.title, best!.matchReasonText],
      ['用 TypeScript 寫一個記帳小工具', '你也關注「程式」'],
    );
  });

  await t.test('what is un-published is gone before anything is refreshed', async () => {
    const { title, practiceId } = (await cards(learner))[0]!;
    const set = (privacy: string) =>
      whole.database.pool.query('UPDATE practices SET privacy_status = $2 WHERE external_id = $1', [
        practiceId,
        privacy,
      ]);
    await set('private');
    assert.ok((await cards(learner)).every((card) => card.title !== title));
    await set('public');
  });

  await t.test('tags, exclusions and pages', async () => {
    const all = await cards(learner);
    const tagged = await cards(learner, '&tags[]=日語&tags[]=攝影');
    assert.ok(tagged.length >= 2);
    assert.ok(tagged.every(({ tags }) => tags.includes('日語') || tags.includes('攝影')));
    assert.deepEqual(await cards(learner, '&tags=日語,攝影'), tagged);
    const [one, two] = all;
    const rest = await cards(learner, `&exclude_ids=${one!.practiceId},${two!.practiceId}`);
    assert.deepEqual(rest, all.slice(2));
    const paged: Card[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/api/v1/recommendation/topic_cards/?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const { body }: Answer<Envelope<Card[]>> = await learner.call('GET', path);
      assert.ok(body.data.length <= 2);
      paged.push(...body.data);
      cursor = body.pagination!.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(paged, all);
    const bad = await learner.call<Envelope<null>>(
      'GET',
      '/api/v1/recommendation/topic_cards?cursor=zzz',
    );
    assert.deepEqual(
      [bad.status, bad.body.success, bad.body.error?.code],
      [400, false, 'REQUEST_INVALID'],
    );
  });

  await t.test('without a token the list is empty and says so, in the envelope', async () => {
    const answer = await whole.anonymous.call<Envelope<Card[]>>(
      'GET',
      '/api/v1/recommendation/topic_cards',
    );
    assert.equal(answer.headers.get('x-auth-state'), 'anonymous');
    const { timestamp, requestId, processingTime, ...rest } = answer.body;
    assert.deepEqual(rest, {
      success: true,
      data: [],
      error: null,
      pagination: { limit: 3, nextCursor: null, hasMore: false },
      cacheHit: false,
    });
    assert.ok(Date.parse(timestamp) > 0 && requestId.length > 0 && processingTime >= 0);
    assert.equal((await learner.call('GET', '/api/v1/ping')).status, 200);
    assert.deepEqual((await whole.anonymous.call('GET', '/api/v1/health')).body, { status: 'ok' });
  });

  await t.test('every plain route answers in the envelope too', async () => {
    const plain = await learner.call<{ items: unknown[] }>(
      'GET',
      '/users/me/recommendations?limit=3',
    );
    const wrapped = await learner.call<Envelope<{ items: unknown[] }>>(
      'GET',
      '/api/v1/users/me/recommendations?limit=3',
    );
    assert.deepEqual(wrapped.body.data, plain.body);
    const missing = await learner.call<Envelope<null>>(
      'GET',
      '/api/v1/tasks/00000000-0000-4000-8000-000000000000',
    );
    assert.deepEqual([missing.status, missing.body.error?.code], [404, 'TASK_NOT_FOUND']);
    const denied = await whole.anonymous.call<Envelope<null>>('POST', '/api/v1/events', {
      body: { events: [] },
    });
    assert.deepEqual(
      [denied.status, denied.body.success, denied.body.error?.code],
      [401, false, 'UNAUTHENTICATED'],
    );
  });

  await t.test('a lost vector store is filled again by command', async (st) => {
    const client = await connectVectors({
      qdrantUrl: whole.proxies.vectors.url,
      qdrantApiKey: undefined,
    });
    const count = async () => (await client.count(ALIASES.practices, { exact: true })).count;
    const before = await count();
    await client.delete(ALIASES.practices, { filter: {}, wait: true });
    assert.equal(await count(), 0);
    const cli = run(st, 'cli/main.js', environmentOf(whole.config), ['reindex']);
    assert.equal(await cli.ended, 0, cli.text());
    assert.match(cli.text(), /Done: .*"users":6/);
    assert.equal(await count(), before);
  });

  await t.test(
    'without the vector store, without ClickHouse and without both it still answers, and says so',
    async () => {
      await whole.proxies.vectors.cut();
      assert.deepEqual(await refresh(whole, learner), { users: 1, missing: ['vectors'] });
      const fitting = async () =>
        (await cards(learner)).find(({ matchReasonCode }) => matchReasonCode === 'tag_match');
      assert.equal((await fitting())?.title, '用 TypeScript 寫一個記帳小工具');
      await whole.proxies.clickhouse.cut();
      assert.deepEqual(await refresh(whole, learner), { users: 1, missing: ['events', 'vectors'] });
      assert.equal((await fitting())?.title, '用 TypeScript 寫一個記帳小工具');
      await whole.proxies.vectors.restore();
      assert.deepEqual(await refresh(whole, learner), { users: 1, missing: ['events'] });
      await whole.proxies.clickhouse.restore();
      assert.deepEqual(await refresh(whole, learner), { users: 1, missing: [] });
    },
  );
});
