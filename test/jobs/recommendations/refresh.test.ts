/**
 * Which cards people get, out of real stores.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { giveVerdict } from '../../../db/daodao/likes.ts';
import { database } from '../../support/threads/attempts.ts';
import { noEvents, noVectors } from '../../support/domain/context.ts';
import { insertCheckIn, insertUser } from '../../support/domain/practices.ts';
import {
  cardsOf,
  did,
  looked,
  member,
  orderOf,
  ownerOf,
  place,
  popular,
  practicesNamed,
  practicesOf,
  refresh,
} from '../../support/domain/recommendations.ts';

const NORTH = [1, 0, 0, 0];
const EAST = [0, 1, 0, 0];
const SKY = [0, 0, 1, 0];
const INWARD = [0, 0, 0, 1];

test('what a member had to do with comes first among equals, for that member alone', async () => {
  const { low, high } = await ownerOf('low', 'high');
  const [one, other] = [await member(), await member()];
  await looked({ user: one, practice: low }, { user: other, practice: high });
  await refresh({});
  assert.deepEqual(await orderOf(one), [low, high]);
  assert.deepEqual(await orderOf(other), [high, low]);
  // Both stay equally popular.
  await did({ user: one, type: 'like', practice: high }, { type: 'like', practice: low });
  await refresh({ userId: one });
  assert.deepEqual(await orderOf(one), [high, low]);
});

test('a new member gets what is popular, the most popular first, and so do those without cards', async () => {
  const { low, middle, high } = await ownerOf('low', 'middle', 'high');
  const newcomer = await member();
  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
  await looked({ user: first, practice: low });
  for (const user of [first, second]) await looked({ user, practice: middle });
  for (const user of [first, second, third]) await looked({ user, practice: high });
  await refresh({});
  assert.deepEqual(
    await cardsOf(newcomer),
    [high, middle, low].map((id) => ({ id, reason: 'popular_content' })),
  );
  assert.deepEqual((await popular()).order, [high, middle, low]);
});

test('what is like a member comes first', async () => {
  const { owner, far, near, nearest } = await ownerOf('far', 'near', 'nearest');
  const reader = await member();
  await place('users', reader, NORTH);
  await place('practices', far, EAST, owner);
  await place('practices', near, [1, 1, 0, 0], owner);
  await place('practices', nearest, NORTH, owner);
  await refresh({ userId: reader });
  assert.deepEqual(await orderOf(reader), [nearest, near, far]);
});

test('neighbours of what was liked come up, it does not do so itself; those of what was disliked go down', async () => {
  const names = ['besideDisliked', 'liked', 'other', 'besideLiked', 'disliked'] as const;
  const { owner, ...practices } = await ownerOf(...names);
  const { besideDisliked, liked, other, besideLiked, disliked } = practices;
  const reader = await member();
  for (const id of [liked, besideLiked]) await place('practices', id, EAST, owner);
  for (const id of [disliked, besideDisliked]) await place('practices', id, SKY, owner);
  await place('practices', other, INWARD, owner);
  await refresh({ userId: reader });
  assert.deepEqual(await orderOf(reader), Object.values(practices));
  await giveVerdict(database.pool, reader, liked, 'like');
  await giveVerdict(database.pool, reader, disliked, 'dislike');
  await refresh({ userId: reader });
  assert.deepEqual(await orderOf(reader), [besideLiked, liked, other, besideDisliked]);
});

test('nobody gets what is their own, what they disliked, or what is not shown to others', async () => {
  const { owner, known } = await ownerOf('known');
  const reader = await insertUser(database.pool);
  const own = await practicesOf(reader.id, 2);
  const other = await insertUser(database.pool);
  const { disliked, shown } = await practicesNamed(other.id, ['disliked', 'shown']);
  const hidden: string[] = [];
  for (const columns of [
    { privacy_status: 'private' },
    { privacy_status: 'delayed' },
    { status: 'draft' },
    { status: 'archived' },
    { deleted_at: new Date() },
  ]) {
    hidden.push(...(await practicesOf(other.id, 1, columns)));
  }
  const all = [known, ...own, disliked, shown, ...hidden];
  await place('users', reader.externalId, NORTH);
  for (const id of all) {
    await place('practices', id, NORTH, own.includes(id) ? reader.externalId : owner);
  }
  await looked(...all.map((practice) => ({ user: reader.externalId, practice })));
  await giveVerdict(database.pool, reader.externalId, disliked, 'dislike');
  const wanted = [known, shown].toSorted();
  for (const given of [{}, { vectors: noVectors() }, { events: noEvents() }]) {
    await refresh({ userId: reader.externalId }, given);
    assert.deepEqual((await orderOf(reader.externalId)).toSorted(), wanted);
  }
});

test('a hundred cards are kept: four of five the best ones, equal ones by id, and one of five drawn', async () => {
  const { id } = await insertUser(database.pool);
  const practices = await practicesOf(id, 120);
  const last = practices.at(-1)!;
  const reader = await member({ tag_list: ['茶'] });
  await database.pool.query(`UPDATE practices SET tags = '{茶}' WHERE external_id = $1`, [last]);
  await refresh({ userId: reader });
  const order = await orderOf(reader);
  const [chosen, drawn] = [0, 1].map((kept) =>
    order.filter((_, at) => Number(at % 5 === 4) === kept),
  );
  assert.deepEqual(chosen, [last, ...practices.slice(0, 79)]);
  assert.equal(new Set(drawn).size, 20);
  assert.ok(drawn!.every((one) => practices.slice(79, -1).includes(one)));
  assert.deepEqual((await cardsOf(reader))[0], { id: last, reason: 'tag_match', shared: '茶' });
});

for (const whom of ['everyone', 'one member'] as const) {
  test(`a refresh of ${whom} goes by what Postgres knows without the other stores, and names them`, async () => {
    const owner = await insertUser(database.pool);
    const names = ['idle', 'alive', 'livelier', 'fitting'] as const;
    const { idle, alive, livelier, fitting } = await practicesNamed(owner.id, names);
    const reader = await member({ interest_list: ['茶'] });
    const { rows } = await database.pool.query<{ id: number }>(
      'SELECT id FROM practices WHERE external_id = $1',
      [alive],
    );
    const guest = await insertUser(database.pool);
    await insertCheckIn(database.pool, rows[0]!.id, guest.id, '2026-03-01');
    for (let n = 0; n < 5; n++) {
      await giveVerdict(database.pool, randomUUID(), livelier, 'like');
    }
    await database.pool.query(`UPDATE practices SET tags = '{茶}' WHERE external_id = $1`, [
      fitting,
    ]);
    await place('practices', idle, NORTH, owner.externalId);
    await place('users', reader, NORTH);
    const [payload, users] = whom === 'everyone' ? [{}, 3] : [{ userId: reader }, 1];
    const [events, vectors] = [noEvents(), noVectors()];

    const byTags = [livelier, fitting, alive, idle];
    assert.deepEqual(await refresh(payload, { events, vectors }), {
      users,
      missing: ['events', 'vectors'],
    });
    assert.deepEqual(await orderOf(reader), byTags);
    assert.deepEqual(await refresh(payload, { events }), { users, missing: ['events'] });
    assert.deepEqual(await orderOf(reader), [idle, ...byTags.slice(0, 3)]);
    assert.deepEqual(await refresh(payload, { vectors }), { users, missing: ['vectors'] });
    assert.deepEqual(await orderOf(reader), byTags);
    assert.deepEqual(await refresh(payload), { users, missing: [] });
    assert.deepEqual(await orderOf(reader), [idle, ...byTags.slice(0, 3)]);
  });
}

test('without ClickHouse what more people like is more popular', async () => {
  const { idle, liked, likedMore } = await ownerOf('idle', 'liked', 'likedMore');
  for (const id of [liked, likedMore, likedMore]) {
    await giveVerdict(database.pool, randomUUID(), id, 'like');
  }
  await refresh({}, { events: noEvents() });
  assert.deepEqual((await popular()).order, [likedMore, liked, idle]);
});

test('without the vector store tags find what is not popular', async () => {
  const owner = await insertUser(database.pool);
  const { viewed } = await practicesNamed(owner.id, ['viewed']);
  const { tagged } = await practicesNamed(owner.id, ['tagged'], { tags: ['茶'] });
  const reader = await member({ tag_list: ['茶'] });
  await looked({ practice: viewed });
  await refresh({ userId: reader }, { vectors: noVectors() });
  assert.deepEqual(new Set(await orderOf(reader)), new Set([viewed, tagged]));
});

test('of somebody who is not there nothing is kept', async () => {
  assert.deepEqual(await refresh({ userId: randomUUID() }), { users: 0, missing: [] });
});

test('what may not be shown any more takes no place among what is popular', async () => {
  const { hidden, one, other } = await ownerOf('hidden', 'one', 'other');
  const reader = await member();
  await looked({ practice: hidden });
  await database.pool.query(
    `UPDATE practices SET privacy_status = 'private' WHERE external_id = $1`,
    [hidden],
  );
  await refresh({});
  assert.deepEqual(new Set((await popular()).order), new Set([one, other]));
  assert.deepEqual(new Set(await orderOf(reader)), new Set([one, other]));
});
