/**
 * What one member, or a few, can do to be recommended to everybody: not much.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { findLively } from '../../../db/daodao/recommendation-sources.ts';
import { forwardEvents, storeEvents } from '../../../db/daodao/events.ts';
import { giveVerdict } from '../../../db/daodao/likes.ts';
import { readCards } from '../../../api/recommendations/cards.ts';
import { orderReader } from '../../../api/recommendations/order.ts';
import { database } from '../../support/threads/attempts.ts';
import { noEvents } from '../../support/domain/context.ts';
import { insertCheckIn, insertUser } from '../../support/domain/practices.ts';
import {
  did,
  eventStore,
  looked,
  member,
  orderOf,
  ownerOf,
  popular,
  practicesOf,
  refresh,
} from '../../support/domain/recommendations.ts';

const ACTS = ['content_view', 'card_click', 'like', 'share', 'comment'];

describe('popularity', () => {
  test('is not taken up by practices that do not exist or may not be shown, however many', async () => {
    const { viewed } = await ownerOf('viewed');
    const owner = await insertUser(database.pool);
    const hidden = await practicesOf(owner.id, 200, { privacy_status: 'private' });
    const made = Array.from({ length: 600 }, () => randomUUID());
    const users = [randomUUID(), randomUUID()];
    await looked(
      ...users.flatMap((user) => [...hidden, ...made].map((practice) => ({ user, practice }))),
      { practice: viewed },
    );
    await practicesOf(owner.id, 3);
    await refresh({});
    assert.equal((await popular()).order[0], viewed);
  });

  test('counts a person once for a practice and day, whatever the person does', async () => {
    const { bought, honest } = await ownerOf('bought', 'honest');
    const buyer = randomUUID();
    for (let n = 0; n < 20; n++) {
      await did(...ACTS.map((type) => ({ user: buyer, type, practice: bought })));
    }
    await looked({ practice: honest }, { practice: honest });
    await refresh({});
    assert.deepEqual((await popular()).order, [honest, bought]);
  });

  test('does not count the owner', async () => {
    const { owner, own, viewed } = await ownerOf('own', 'viewed');
    await did(...ACTS.map((type) => ({ user: owner, type, practice: own })));
    await did({ type: 'impression', practice: viewed });
    await refresh({});
    assert.deepEqual((await popular()).order, [viewed, own]);
  });

  test('is told by what comes through the outbox, which knows practices and owners', async () => {
    const { owner, own, viewed } = await ownerOf('own', 'viewed');
    const event = (entity: string, type = 'content_view') => ({
      event_id: randomUUID(),
      event_type: type,
      entity_type: 'practice',
      entity_id: entity,
      occurred_at: new Date().toISOString(),
    });
    const { pool } = database;
    await storeEvents(pool, owner, [event(own, 'like'), event(randomUUID(), 'like')]);
    await storeEvents(pool, randomUUID(), [
      event(viewed, 'impression'),
      event(randomUUID(), 'like'),
    ]);
    await storeEvents(pool, randomUUID(), [
      { ...event('a page', 'page_view'), entity_type: 'page' },
    ]);
    assert.deepEqual(await forwardEvents(pool, eventStore(), 100), { events: 5, refused: 0 });
    await refresh({});
    assert.deepEqual((await popular()).order, [viewed, own]);
  });
});

describe('without ClickHouse', () => {
  test('likes and check-ins of the owner do not count, and those of another person count once a day', async () => {
    const { owner, own, dull, liked } = await ownerOf('own', 'dull', 'liked');
    const { pool } = database;
    const { rows } = await pool.query<{ id: number; external_id: string; user_id: number }>(
      'SELECT id, external_id, user_id FROM practices',
    );
    const row = (id: string) => rows.find(({ external_id: known }) => known === id)!;
    for (let day = 1; day <= 9; day++) {
      await insertCheckIn(pool, row(own).id, row(own).user_id, `2026-03-0${day}`);
    }
    await giveVerdict(pool, owner, own, 'like');
    const guest = await insertUser(pool);
    for (let n = 0; n < 5; n++) await insertCheckIn(pool, row(dull).id, guest.id, '2026-03-01');
    for (let n = 0; n < 2; n++) await giveVerdict(pool, randomUUID(), liked, 'like');
    const lively = await findLively(pool, 10);
    assert.deepEqual(lively, [
      { id: liked, score: 2 },
      { id: dull, score: 1 },
      { id: own, score: 0 },
    ]);
    await refresh({}, { events: noEvents() });
    assert.deepEqual((await popular()).order, [liked, dull, own]);
  });
});

test('one person alone does not make a practice more fitting than a tag does', async () => {
  const owner = await insertUser(database.pool);
  const [liked] = await practicesOf(owner.id, 1);
  const [fitting] = await practicesOf(owner.id, 1, { tags: ['茶'] });
  await practicesOf(owner.id, 1);
  const reader = await member({ tag_list: ['茶'] });
  await did({ type: 'like', practice: liked! });
  await giveVerdict(database.pool, randomUUID(), liked!, 'like');
  for (const given of [{}, { events: noEvents() }]) {
    await refresh({ userId: reader }, given);
    assert.deepEqual((await orderOf(reader)).slice(0, 2), [fitting, liked]);
  }
});

describe('one place in five is kept', () => {
  /** 150 practices that somebody has bought views for, and 60 that no signal knows of. */
  async function flooded() {
    const owner = await insertUser(database.pool);
    const unknown = await practicesOf(owner.id, 60);
    const bought = await practicesOf(owner.id, 150);
    await looked(...bought.map((practice) => ({ practice })));
    return { unknown: new Set(unknown) };
  }
  const unknownPlaces = (order: readonly string[], unknown: ReadonlySet<string>) =>
    order.flatMap((id, place) => (unknown.has(id) ? [place % 5] : []));

  test('for practices that no signal knows of, in the cards of a member and in what is popular', async () => {
    const { unknown } = await flooded();
    const reader = await member();
    await refresh({});
    for (const order of [await orderOf(reader), (await popular()).order]) {
      const places = unknownPlaces(order, unknown);
      assert.ok(places.length > 0);
      assert.ok(
        places.every((place) => place === 4),
        places.join(),
      );
      assert.equal(new Set(order).size, order.length);
    }
  });

  test('the same all day for a member, and another for another member', async () => {
    await flooded();
    const [one, other] = [await member(), await member()];
    await refresh({});
    const first = await orderOf(one);
    assert.notDeepEqual(first, await orderOf(other));
    await refresh({ userId: one });
    assert.deepEqual(await orderOf(one), first);
  });

  test('when the cache is unavailable, too', async () => {
    const owner = await insertUser(database.pool);
    const practices = await practicesOf(owner.id, 130);
    const liked = practices.slice(0, 110);
    for (const practice of liked) await giveVerdict(database.pool, randomUUID(), practice, 'like');
    const cache = { get: () => Promise.reject(new Error('Redis is away')) };
    const readOrder = orderReader({ reader: database.reader, cache });
    const wanted = { limit: 100, tags: [], excludeIds: [] };
    const page = await readCards({ reader: database.reader, readOrder }, await member(), wanted);
    const places = unknownPlaces(
      page.cards.map(({ card }) => card.id),
      new Set(practices.slice(110)),
    );
    assert.ok(places.length > 0 && places.every((place) => place === 4), places.join());
  });
});
