/**
 * People, practices and verdicts change at random while recommendations are made from whatever was known before: nobody is
 * ever shown what is not to be shown.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { readCards } from '../../../api/recommendations/cards.ts';
import { orderReader } from '../../../api/recommendations/order.ts';
import { Behaviour } from '../../../db/daodao/behaviour.ts';
import { Cache } from '../../../db/stores/cache.ts';
import { forwardEvents, storeEvents } from '../../../db/daodao/events.ts';
import { giveVerdict } from '../../../db/daodao/likes.ts';
import { refreshRecommendationCache } from '../../../jobs/recommendations/task.ts';
import { atEnd } from '../../support/at-end.ts';
import { database } from '../../support/threads/attempts.ts';
import { startTestClickhouse } from '../../support/stores/clickhouse.ts';
import { runTask, updated } from '../../support/domain/embeddings.ts';
import { insertPractice, insertUser } from '../../support/domain/practices.ts';
import { chance, report, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('leaks', {
  /** Refreshes of one user, each with what is shown after it. */
  refreshes: { ci: 500, full: 10_000 },
});
const USERS = 20;
const PRACTICES = 80;
const WORDS = ['日語', '水彩', '跑步', '閱讀', '料理', 'music', 'code', 'sleep'];
const STATUSES = ['draft', 'not_started', 'active', 'completed', 'archived'];
const PRIVACIES = ['private', 'public', 'public', 'delayed'];

const { integer, next } = chance();
const pick = <T>(items: readonly T[]): T => items[integer(items.length)]!;

interface Row {
  id: number;
  externalId: string;
}

const state = (): Record<string, unknown> => ({
  status: pick(STATUSES),
  privacy_status: pick(PRIVACIES),
  deleted_at: next() < 0.1 ? new Date() : null,
  tags: [pick(WORDS), pick(WORDS)],
});

async function people(): Promise<{ users: Row[]; practices: Row[] }> {
  const users: Row[] = [];
  const practices: Row[] = [];
  for (let n = 0; n < USERS; n++) {
    // Some have told nothing.
    const tags = n % 5 === 0 ? [] : [pick(WORDS), pick(WORDS)];
    users.push(await insertUser(database.pool, { tag_list: tags }));
  }
  for (let n = 0; n < PRACTICES; n++) {
    const title = `${pick(WORDS)} ${n}`;
    practices.push(await insertPractice(database.pool, pick(users).id, { title, ...state() }));
  }
  return { users, practices };
}

/** What must not be among the cards of a user, told by the rows alone. */
async function forbidden(user: Row, shown: readonly string[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ id: string; why: string }>(
    `SELECT p.external_id AS id, concat_ws(' ', p.privacy_status, p.status,
       CASE WHEN p.deleted_at IS NOT NULL THEN 'deleted' END, CASE WHEN p.user_id = $1 THEN 'own' END, f.verdict) AS why
     FROM practices p LEFT JOIN ai.recommendation_feedback f ON f.practice_id = p.external_id AND f.user_id = $2
     WHERE p.external_id = ANY($3) AND (p.privacy_status <> 'public' OR p.status NOT IN ('active', 'completed')
       OR p.deleted_at IS NOT NULL OR p.user_id = $1 OR f.verdict = 'dislike')`,
    [user.id, user.externalId, shown],
  );
  return rows.map(({ id, why }) => `${id}: ${why}`);
}

test('nothing private, delayed, deleted, own or disliked is ever shown', async (t) => {
  const clickhouse = await startTestClickhouse();
  const cache = new Cache(process.env['TEST_REDIS_URL']!, `leaks-${randomUUID()}`);
  const readOrder = orderReader({ reader: database.reader, cache });
  atEnd(t, async () => {
    cache.close();
    await clickhouse.stop();
  });
  const given = { cache, events: new Behaviour(async () => clickhouse.client) };
  const { users, practices } = await people();
  await updated({});

  const change = async (): Promise<void> => {
    const practice = pick(practices);
    const columns = Object.entries(state());
    const sets = columns.map(([name], index) => `${name} = $${index + 2}`).join(', ');
    await database.pool.query(`UPDATE practices SET ${sets}, updated_at = now() WHERE id = $1`, [
      practice.id,
      ...columns.map(([, value]) => value),
    ]);
  };
  const judge = () =>
    giveVerdict(
      database.pool,
      pick(users).externalId,
      pick(practices).externalId,
      pick(['like', 'dislike']),
    );
  const look = async (): Promise<void> => {
    const view = {
      event_id: randomUUID(),
      event_type: pick(['content_view', 'like', 'impression']),
      entity_type: 'practice',
      entity_id: pick(practices).externalId,
      occurred_at: new Date().toISOString(),
    };
    await storeEvents(database.pool, pick(users).externalId, [view]);
  };

  const violations: string[] = [];
  let shown = 0;
  for (let n = 0; n < SIZES.refreshes; n++) {
    await change();
    await judge();
    await look();
    if (n % 10 === 0) await forwardEvents(database.pool, clickhouse.client, 1000);
    // Vectors are behind most of the time, as they may be.
    if (n % 25 === 0) await updated({});
    const user = pick(users);
    await runTask(refreshRecommendationCache, { userId: user.externalId }, given);
    // And so is the cache.
    if (next() < 0.5) await change();
    if (next() < 0.5) await judge();
    const reader = next() < 0.7 ? user : pick(users);
    const query = { limit: 50, tags: [], excludeIds: [] };
    const { cards } = await readCards(
      { reader: database.reader, readOrder },
      reader.externalId,
      query,
    );
    shown += cards.length;
    violations.push(
      ...(await forbidden(
        reader,
        cards.map(({ card }) => card.id),
      )),
    );
  }
  assert.ok(shown > SIZES.refreshes, 'hardly anything was shown');
  report(t, {
    figure: `${SIZES.refreshes} refreshes while everything changes`,
    result: `${shown} cards shown, ${violations.length} that must not be`,
    violations,
  });
});
