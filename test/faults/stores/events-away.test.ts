/**
 * Behaviour events while ClickHouse is away, told by the producer's own list.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAnswering } from '../../support/app/answering.ts';
import { startTestApp } from '../../support/app/app.ts';
import { atEnd } from '../../support/at-end.ts';
import { startTestClickhouse } from '../../support/stores/clickhouse.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { startProxy } from '../../support/stores/proxy.ts';

/** Twenty events ten times a second. */
const BATCH = 20;
const PAUSE_MS = 100;
/** Events sent while it is away; `EVENTS_AWAY=12000` makes that a minute. */
const AWAY = Number(process.env['EVENTS_AWAY'] ?? 400);

test('ClickHouse is away under 200 events a second: none is lost, none is there twice', async (t) => {
  const clickhouse = await startTestClickhouse();
  const proxy = await startProxy(clickhouse.url);
  const others = await startAnswering();
  const app = await startTestApp(() => ({ clickhouseUrl: proxy.url, qdrantUrl: others.url }));
  atEnd(t, async () => {
    await app.stop();
    others.stop();
    await proxy.cut();
    await clickhouse.stop();
  });
  const person = await app.person();
  const told: string[] = [];
  let isOver = false;
  const telling = (async () => {
    while (!isOver) {
      const events = Array.from({ length: BATCH }, () => ({
        event_id: randomUUID(),
        event_type: 'content_view',
        entity_type: 'practice',
        entity_id: randomUUID(),
        occurred_at: new Date().toISOString(),
      }));
      const { status } = await person.call('POST', '/events', { body: { events } });
      assert.equal(status, 202);
      told.push(...events.map((event) => event.event_id));
      await sleep(PAUSE_MS);
    }
  })();
  const arrived = async (): Promise<string[]> => {
    const rows = await clickhouse.rows<{ event_id: string }>(
      'SELECT event_id FROM daodao.user_events FINAL WHERE user_id = {user:String}',
      { user: person.externalId },
    );
    return rows.map((row) => row.event_id);
  };
  await eventually('some have arrived', async () => (await arrived()).length > BATCH);
  await proxy.cut();
  const sent = told.length;
  await eventually('many are sent', () => told.length >= sent + AWAY);
  const before = told.length;
  await proxy.restore();
  await eventually('it goes on', async () => (await arrived()).length > before);
  isOver = true;
  await telling;
  await eventually('all have arrived', async () => (await arrived()).length >= told.length);
  assert.deepEqual((await arrived()).toSorted(), told.toSorted());
});
