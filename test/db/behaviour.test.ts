/**
 * What people did, as recommendations read it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Behaviour } from '../../db/behaviour.ts';
import { startTestClickhouse, type TestClickhouse } from '../support/clickhouse.ts';

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
}

async function told(events: readonly Told[]): Promise<void> {
  const now = Date.now();
  await clickhouse.client.insert({
    table: 'daodao.user_events',
    format: 'JSONEachRow',
    values: events.map(({ user, entity, type, durationMs, daysAgo = 0 }) => ({
      event_id: randomUUID(),
      user_id: user,
      event_type: type,
      entity_type: 'practice',
      entity_id: entity,
      page: null,
      duration_ms: durationMs ?? null,
      value: null,
      match_reason: null,
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
  const popular = (await behaviour.popular(1000)).map(({ id }) => id);
  assert.ok(popular.includes(practice));
  assert.deepEqual(
    popular.filter((id) => odd.includes(id)),
    [],
  );
});
