/**
 * What people did, as recommendations read it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Behaviour } from '../../../db/daodao/behaviour.ts';
import { startTestClickhouse, type TestClickhouse } from '../../support/stores/clickhouse.ts';

const DAY_MS = 86_400_000;

let clickhouse: TestClickhouse;
let behaviour: Behaviour;
before(async () => {
  clickhouse = await startTestClickhouse();
  behaviour = new Behaviour(async () => clickhouse.client);
});
after(() => clickhouse.stop());

interface Told {
  user: string;
  entity: string;
  type: string;
  durationMs?: number;
  daysAgo?: number;
  kind?: string;
}

/** The most popular practices, all of which may be shown. */
const popular = (limit: number) => behaviour.popular(limit, async (ids) => new Set(ids));

async function told(events: readonly Told[]): Promise<void> {
  const now = Date.now();
  await clickhouse.client.insert({
    table: 'daodao.user_events',
    format: 'JSONEachRow',
    values: events.map(({ user, entity, type, durationMs, daysAgo = 0, kind = 'practice' }) => ({
      event_id: randomUUID(),
      user_id: user,
      event_type: type,
      entity_type: kind,
      entity_id: entity,
      page: null,
      duration_ms: durationMs ?? null,
      value: null,
      match_reason: null,
      owner_id: randomUUID(),
      occurred_at: new Date(now - daysAgo * DAY_MS).toISOString(),
      received_at: new Date(now).toISOString(),
    })),
  });
}

test('a day of views counts once, the longest time of it counts, and what is older than 14 days does not', async () => {
  const [user, viewed, timed, liked, old] = Array.from({ length: 5 }, () => randomUUID());
  const by = { user: user!, type: 'content_view' };
  await told([
    { ...by, entity: viewed! },
    { ...by, entity: viewed! },
    { ...by, entity: timed!, type: 'time_spent', durationMs: 60_000 },
    { ...by, entity: timed!, type: 'time_spent', durationMs: 240_000 },
    { ...by, entity: liked!, type: 'like' },
    { ...by, entity: liked!, type: 'card_click' },
    { ...by, entity: old!, daysAgo: 15 },
  ]);
  const found = await behaviour.engagement([user!]);
  assert.deepEqual(
    found.map(({ practiceId, weight }) => [practiceId, weight]),
    [
      [liked, 4],
      [timed, 2],
      [viewed, 1],
    ],
  );
});

test('what others have to do with counts for nobody else', async () => {
  const [user, other] = [randomUUID(), randomUUID()];
  await told([{ user, entity: randomUUID(), type: 'like' }]);
  assert.deepEqual(await behaviour.engagement([other]), []);
});

test('what was told under ids that no practice can have is left out: nobody else pays for it', async () => {
  const [user, practice] = [randomUUID(), randomUUID()];
  const odd = ['no-such', '', 'z'.repeat(36), `${practice} `, practice.replaceAll('-', '_')];
  await told(
    [...odd, practice].map((entity) => ({
      user,
      entity,
      type: entity === practice ? 'like' : 'share',
    })),
  );
  assert.deepEqual(
    (await behaviour.engagement([user])).map(({ practiceId }) => practiceId),
    [practice],
  );
  const ids = (await popular(1000)).map(({ id }) => id);
  assert.ok(ids.includes(practice));
  assert.deepEqual(
    ids.filter((id) => odd.includes(id)),
    [],
  );
});

/** Ids from the lowest to the highest: the order of what counts the same. */
const idsOf = (count: number) => Array.from({ length: count }, () => randomUUID()).toSorted();

/** How often each of these counts as much as the first, which is a view of today. */
async function popularityOf(ids: readonly string[]): Promise<number[]> {
  const scores = new Map((await popular(1000)).map(({ id, score }) => [id, score]));
  const unit = scores.get(ids[0]!)!;
  return ids.map((id) => Math.round(((scores.get(id) ?? 0) / unit) * 1000) / 1000);
}

test('a practice is as popular as the days on which people saw it, each counted once for each of them', async () => {
  const [view, repeated, two, glimpsed, both] = idsOf(5);
  const [user, other] = [randomUUID(), randomUUID()];
  const by = { user, type: 'content_view' };
  await told([
    { ...by, entity: view! },
    { ...by, entity: repeated! },
    { ...by, entity: repeated! },
    { ...by, entity: repeated!, type: 'page_view' },
    { ...by, entity: two! },
    { ...by, entity: two!, user: other },
    { ...by, entity: glimpsed!, type: 'impression' },
    { ...by, entity: glimpsed!, type: 'impression' },
    { ...by, entity: both!, type: 'impression' },
    { ...by, entity: both! },
  ]);
  assert.deepEqual(
    await popularityOf([view!, repeated!, two!, glimpsed!, both!]),
    [1, 1, 2, 0.1, 1],
  );
});

test('whatever a person does with a practice on a day makes it popular once; for the person a click is a view, and a like, a share and a comment together are three', async () => {
  const [view, clicked, liked, shared, all] = idsOf(5);
  const user = randomUUID();
  await told([
    { user, entity: view!, type: 'content_view' },
    { user, entity: clicked!, type: 'card_click' },
    { user, entity: liked!, type: 'like' },
    { user, entity: shared!, type: 'share' },
    ...['content_view', 'card_click', 'like', 'share', 'comment'].map((type) => ({
      user,
      entity: all!,
      type,
    })),
  ]);
  assert.deepEqual(await popularityOf([view!, clicked!, liked!, shared!, all!]), [1, 1, 1, 1, 1]);
  const weights = new Map(
    (await behaviour.engagement([user])).map(({ practiceId, weight }) => [practiceId, weight]),
  );
  assert.deepEqual(
    [view, clicked, liked, shared, all].map((id) => weights.get(id!)),
    [1, 1, 3, 3, 5],
  );
});

test('of the time of a day ten minutes count at most, and each day has its own', async () => {
  const [view, half, full, over, twice] = idsOf(5);
  const user = randomUUID();
  const spent = { user, type: 'time_spent' };
  await told([
    { ...spent, entity: view!, type: 'content_view' },
    { ...spent, entity: half!, durationMs: 300_000 },
    { ...spent, entity: full!, durationMs: 600_000 },
    { ...spent, entity: over!, durationMs: 7_200_000 },
    { ...spent, entity: twice!, durationMs: 7_200_000 },
    { ...spent, entity: twice!, durationMs: 7_200_000, daysAgo: 1 },
  ]);
  assert.deepEqual(await popularityOf([view!, half!, full!, over!]), [1, 1, 1, 1]);
  assert.deepEqual(
    (await behaviour.engagement([user])).map(({ practiceId, weight }) => [practiceId, weight]),
    [
      [twice, 10],
      [full, 5],
      [over, 5],
      [half, 2.5],
      [view, 1],
    ],
  );
});

test('a day counts less for popularity the older it is, a third after ten days and nothing after thirty', async () => {
  const ages = [0, 1, 10, 29, 31];
  const ids = idsOf(ages.length);
  await told(
    ids.map((entity, n) => ({
      user: randomUUID(),
      entity,
      type: 'content_view',
      daysAgo: ages[n]!,
    })),
  );
  const [, yesterday, tenth, last, gone] = await popularityOf(ids);
  assert.ok(yesterday! > 0.85 && yesterday! < 0.95, `${yesterday}`);
  assert.ok(tenth! > 0.3 && tenth! < 0.36, `${tenth}`);
  assert.ok(last! > 0.03 && last! < 0.05, `${last}`);
  assert.equal(gone, 0);
});

test('the most popular come first, equal ones by id, and no more than were asked for', async () => {
  const [few, low, high, many] = idsOf(4);
  const shares = (entity: string, count: number) =>
    Array.from({ length: count }, () => ({ user: randomUUID(), entity, type: 'share' }));
  await told([few!, low!, high!, many!].flatMap((id, n) => shares(id, [40, 50, 50, 60][n]!)));
  const order = [many, low, high, few];
  for (const limit of [1, 2, 3, 4]) {
    const found = await popular(limit);
    assert.deepEqual(
      found.map(({ id }) => id),
      order.slice(0, limit),
    );
  }
  const scores = (await popular(1000)).map(({ score }) => score);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
});

test('what is not a practice counts for nothing', async () => {
  const [user, entity] = [randomUUID(), randomUUID()];
  await told([{ user, entity, type: 'like', kind: 'user' }]);
  assert.deepEqual(await behaviour.engagement([user]), []);
  assert.ok((await popular(1000)).every(({ id }) => id !== entity));
});

test('of each user thirty practices are told, those with the most', async () => {
  const users = [randomUUID(), randomUUID()];
  const [viewed, ...liked] = idsOf(31);
  await told(
    users.flatMap((user) => [
      { user, entity: viewed!, type: 'content_view' },
      ...liked.map((entity) => ({ user, entity, type: 'like' })),
    ]),
  );
  const found = await behaviour.engagement(users);
  for (const user of users) {
    assert.deepEqual(
      found.filter(({ userId }) => userId === user).map(({ practiceId }) => practiceId),
      liked,
    );
  }
});
