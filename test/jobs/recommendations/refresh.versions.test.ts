/**
 * Refreshes that overtake one another, and those that are stopped between pages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cache } from '../../../db/stores/cache.ts';
import { freePort } from '../../../db/embedded/host/port.ts';
import { Stop } from '../../../workers/thread/stop.ts';
import { database } from '../../support/threads/attempts.ts';
import { insertUser } from '../../support/domain/practices.ts';
import {
  acceptRefresh,
  attemptAt,
  looked,
  member,
  orderOf,
  ownerOf,
  popular,
  practicesNamed,
  refresh,
  resultOf,
  vectorsAfter,
  versionOf,
} from '../../support/domain/recommendations.ts';

/** A member who cares about tea, and a practice about tea and one about music. */
async function reading() {
  const reader = await member({ tag_list: ['tea'] });
  const { id } = await insertUser(database.pool);
  const { tea } = await practicesNamed(id, ['tea'], { tags: ['tea'] });
  const { music } = await practicesNamed(id, ['music'], { tags: ['music'] });
  const turnToMusic = () =>
    database.pool.query(`UPDATE users SET tag_list = '{music}' WHERE external_id = $1`, [reader]);
  return { reader, tea, music, turnToMusic };
}

/** A vector store that is not there before `release`; by then people have been read. */
function lateVectors() {
  let release = (): void => undefined;
  let reach = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const vectors = vectorsAfter(() => {
    reach();
    return released;
  });
  return { vectors, reached, release };
}

const KINDS = ['everyone', 'one member'] as const;
const payloadOf = (kind: (typeof KINDS)[number], userId: string) =>
  kind === 'everyone' ? {} : { userId };

for (const earlier of KINDS) {
  for (const later of KINDS) {
    test(`a refresh of ${later} replaces the cards of an earlier refresh of ${earlier}`, async () => {
      const { reader, tea, music, turnToMusic } = await reading();
      await refresh(payloadOf(earlier, reader));
      assert.deepEqual(await orderOf(reader), [tea, music]);
      const before = await versionOf(reader);
      await turnToMusic();
      await refresh(payloadOf(later, reader));
      assert.deepEqual(await orderOf(reader), [music, tea]);
      assert.ok((await versionOf(reader))! > before!);
    });

    test(`a slow refresh of ${earlier} leaves the cards of a later refresh of ${later}`, async () => {
      const { reader, tea, music, turnToMusic } = await reading();
      const { vectors, reached, release } = lateVectors();
      const slow = refresh(payloadOf(earlier, reader), { vectors });
      await reached;
      await turnToMusic();
      await refresh(payloadOf(later, reader));
      const version = await versionOf(reader);
      release();
      await slow;
      assert.deepEqual(await orderOf(reader), [music, tea]);
      assert.equal(await versionOf(reader), version);
    });
  }
}

test('what is popular is replaced by a later refresh', async () => {
  const { low, high } = await ownerOf('low', 'high');
  await looked({ practice: low });
  await refresh({});
  const before = await popular();
  assert.deepEqual(before.order, [low, high]);
  await looked({ practice: high }, { practice: high });
  await refresh({});
  const { order, version } = await popular();
  assert.deepEqual(order, [high, low]);
  assert.ok(version > before.version);
});

test('a refresh that ended between two pages goes on with the second, by what was popular at its start', async () => {
  const { low, high } = await ownerOf('low', 'high');
  const { rows } = await database.pool.query<{ id: string }>(
    `INSERT INTO users (external_id) SELECT gen_random_uuid() FROM generate_series(1, 199)
     RETURNING external_id AS id`,
  );
  const members = rows.map(({ id }) => id);
  const versions = () => Promise.all(members.map(versionOf));
  await looked({ practice: high }, { practice: low }, { practice: high });

  const job = await acceptRefresh({});
  const stop = new Stop();
  const outcome = await attemptAt(job, {}, stop, (message) => {
    if (message.type === 'progress' && message.note === '100 users') stop.abort('lease lost');
  });
  assert.equal(outcome.kind, 'released');
  const first = await versions();
  const done = first.filter((version) => version !== undefined);
  assert.equal(done.length, 99, 'their owner is the hundredth');

  await looked(...Array.from({ length: 5 }, () => ({ practice: low })));
  assert.deepEqual(await resultOf(job), { users: 200, missing: [] });
  const all = await versions();
  assert.deepEqual(all.slice(0, 99), done);
  assert.deepEqual(new Set(all), new Set(done), 'all have the version of its start');
  for (const id of [members[0]!, members.at(-1)!]) {
    assert.deepEqual(await orderOf(id), [high, low]);
  }
});

test('what was popular when a refresh began does not replace what a later one found', async () => {
  const { low, high } = await ownerOf('low', 'high');
  await looked({ practice: low });
  const job = await acceptRefresh({});
  const away = new Cache(`redis://127.0.0.1:${await freePort()}`, 'away');
  const stopped = await attemptAt(job, { cache: away });
  away.close();
  assert.equal(stopped.kind, 'released', 'once it has read what is popular');
  await looked({ practice: high }, { practice: high });
  await refresh({});
  const later = await popular();
  await resultOf(job);
  assert.deepEqual([later.order, await popular()], [[high, low], later]);
});
