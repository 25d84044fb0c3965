/**
 * What a writer of vectors may note once another has overtaken it: nothing.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { EMBEDDING_VERSION, intend, markWritten } from '../../../db/daodao/embedding-state.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

const COLLECTION = 'practices_test';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

/** Two versions, the earlier one first, and an entity that both are about. */
async function twoWriters() {
  const { pool } = database;
  const entityId = randomUUID();
  const { rows } = await pool.query<{ version: string }>(
    'SELECT nextval($1) AS version FROM generate_series(1, 2)',
    [EMBEDDING_VERSION],
  );
  const versions = rows.map(({ version }) => Number(version));
  const [older, newer] = versions.map((version) => ({
    version,
    intend: () => intend(pool, COLLECTION, version, [{ entityId, removed: false }]),
    mark: () =>
      markWritten(pool, COLLECTION, version, [
        {
          entityId,
          removed: false,
          contentHash: `text of ${version}`,
          payloadHash: `facts of ${version}`,
          sourceAt: '2026-03-01 00:00:00+00',
        },
      ]),
  }));
  return { entityId, older: older!, newer: newer! };
}

async function stateOf(entityId: string): Promise<unknown[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `SELECT version::int, written_version::int, content_hash, payload_hash
     FROM ai.embedding_state WHERE collection = $1 AND entity_id = $2`,
    [COLLECTION, entityId],
  );
  return Object.values(rows[0]!);
}

const asWrittenBy = ({ version }: { version: number }): unknown[] => [
  version,
  version,
  `text of ${version}`,
  `facts of ${version}`,
];

test('who comes after a newer version has been written intends nothing and marks nothing', async () => {
  const { entityId, older, newer } = await twoWriters();
  assert.deepEqual(await newer.intend(), { [entityId]: false });
  await newer.mark();
  assert.deepEqual(await older.intend(), {});
  await older.mark();
  assert.deepEqual(await stateOf(entityId), asWrittenBy(newer));
});

test('who is overtaken between intent and mark leaves the newer write unmarked until that is done', async () => {
  const { entityId, older, newer } = await twoWriters();
  await older.intend();
  assert.deepEqual(await newer.intend(), { [entityId]: true });
  await older.mark();
  assert.deepEqual(await stateOf(entityId), [newer.version, null, null, null]);
  await newer.mark();
  await older.mark();
  assert.deepEqual(await stateOf(entityId), asWrittenBy(newer));
});
