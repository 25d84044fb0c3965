/**
 * Reads recommendations that are cached, in a process of its own, as the API is one: `node reads-main.js <place as JSON>`. Prints how long
 * each took, in ms, as a list.
 */
import assert from 'node:assert/strict';
import { readCards } from '../../../api/recommendations/cards.ts';
import { orderReader } from '../../../api/recommendations/order.ts';
import { Cache } from '../../../db/stores/cache.ts';
import { createPool } from '../../../db/stores/postgres.ts';

export interface Place {
  databaseUrl: string;
  redisUrl: string;
  prefix: string;
  /** How often everyone reads; half as many rounds before these do not count. */
  rounds: number;
}

const READERS = 100;

const { databaseUrl, redisUrl, prefix, rounds } = JSON.parse(process.argv[2]!) as Place;
const reader = createPool(databaseUrl, { max: 2, name: 'reads', readOnly: true });
const cache = new Cache(redisUrl, prefix);
const readOrder = orderReader({ reader, cache });
const { rows } = await reader.query<{ id: string }>(
  'SELECT external_id AS id FROM users ORDER BY id LIMIT $1',
  [READERS],
);
const times: number[] = [];
// The first rounds do not count: the code is being compiled, and the machine still tidies up after the refresh of everyone.
for (let round = -Math.ceil(rounds / 2); round < rounds; round++) {
  for (const { id } of rows) {
    const startedMs = performance.now();
    const page = await readCards({ reader, readOrder }, id, {
      limit: 20,
      tags: [],
      excludeIds: [],
    });
    if (round >= 0) times.push(performance.now() - startedMs);
    assert.deepEqual([page.source, page.cards.length], ['personal', 20]);
  }
}
cache.close();
await reader.end();
process.stdout.write(JSON.stringify(times));
