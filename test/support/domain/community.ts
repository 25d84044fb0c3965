/**
 * A generated community: people, practices with vectors, and what everyone did. The same seed makes the same.
 */
import { randomUUID } from 'node:crypto';
import type { Clickhouse } from '../../../db/stores/clickhouse.ts';
import type { Pool } from '../../../db/stores/postgres.ts';
import type { VectorIndex, VectorPoint } from '../../../db/daodao/vector-index.ts';

export interface Community {
  users: number;
  practices: number;
  events: number;
}

/** What people care about: each has some, and each practice is about some. */
const TOPICS = Array.from({ length: 200 }, (_, n) => `topic-${n}`);
/** Events in one insert. */
const BATCH = 100_000;
/** Points in one write. */
const POINTS = 1000;
/** Days over which events are spread. */
const DAYS = 30;

/**
 * Writes practices with their owners, vectors and events for the first `users` of them; more users can be added later.
 * @param size length of the vectors.
 */
export async function createCommunity(
  { db, vectors, clickhouse }: { db: Pool; vectors: VectorIndex; clickhouse: Clickhouse },
  { users, practices, events }: Community,
  size: number,
): Promise<void> {
  await db.query(
    `INSERT INTO users (external_id, nickname, tag_list, professional_field)
     SELECT gen_random_uuid(), 'member ' || n,
       ARRAY['topic-' || (n * 7 % 200), 'topic-' || (n * 13 % 200), 'topic-' || (n * 29 % 200)], ARRAY['field-' || (n % 20)]
     FROM generate_series(1, $1::int) n`,
    [users],
  );
  await db.query(
    `INSERT INTO practices (external_id, user_id, title, status, privacy_status, duration_days, frequency_min_days,
       frequency_max_days, tags)
     SELECT gen_random_uuid(), u.id, 'practice ' || n,
       CASE WHEN n % 10 < 6 THEN 'active' WHEN n % 10 < 9 THEN 'completed' ELSE 'draft' END,
       CASE WHEN n % 7 = 0 THEN 'private' ELSE 'public' END, 21, 3, 5,
       ARRAY['topic-' || (n * 11 % 200), 'topic-' || (n * 17 % 200)]
     FROM generate_series(1, $1::int) n
       JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM users) u ON u.place = 1 + n % $2::int`,
    [practices, users],
  );
  const ids = async (table: string) =>
    (
      await db.query<{
        id: string;
        tags: string[];
        owner: string;
        status: string;
        privacy: string;
      }>(
        table === 'users'
          ? `SELECT external_id AS id, tag_list AS tags, external_id AS owner, '' AS status, '' AS privacy FROM users ORDER BY id`
          : `SELECT p.external_id AS id, p.tags, u.external_id AS owner, p.status, p.privacy_status AS privacy
             FROM practices p JOIN users u ON u.id = p.user_id ORDER BY p.id`,
      )
    ).rows;
  const [people, works] = [await ids('users'), await ids('practices')];
  const shown = works.filter(({ status, privacy }) => privacy === 'public' && status !== 'draft');
  const directions = new Map(TOPICS.map((topic, n) => [topic, directionOf(n, size)]));
  const pointOf = ({ id, ...payload }: (typeof works)[number]): VectorPoint => ({
    id,
    vector: sum(payload.tags.map((tag) => directions.get(tag)!)),
    payload,
  });
  for (const [kind, rows] of [
    ['users', people],
    ['practices', shown],
  ] as const) {
    for (let from = 0; from < rows.length; from += POINTS) {
      await vectors.write(kind, 1, rows.slice(from, from + POINTS).map(pointOf));
    }
  }
  const random = lcg(7);
  const nowMs = Date.now();
  const types = ['content_view', 'impression', 'card_click', 'time_spent', 'like'];
  for (let from = 0; from < events; from += BATCH) {
    const values = Array.from({ length: Math.min(BATCH, events - from) }, () => {
      const at = new Date(nowMs - random() * DAYS * 86_400_000).toISOString();
      const type = types[Math.floor(random() ** 2 * types.length)]!;
      // Few are looked at by many.
      const practice = shown[Math.floor(random() ** 3 * shown.length)]!;
      return {
        event_id: randomUUID(),
        user_id: people[Math.floor(random() * people.length)]!.id,
        event_type: type,
        entity_type: 'practice',
        entity_id: practice.id,
        owner_id: practice.owner,
        duration_ms: type === 'time_spent' ? Math.floor(random() * 120_000) : null,
        occurred_at: at,
        received_at: at,
      };
    });
    await clickhouse.insert({ table: 'daodao.user_events', values, format: 'JSONEachRow' });
  }
  await db.query('ANALYZE users; ANALYZE practices');
}

function directionOf(seed: number, size: number): number[] {
  const random = lcg(seed + 1);
  return Array.from({ length: size }, () => random() - 0.5);
}

function sum(vectors: readonly number[][]): number[] {
  return vectors[0]!.map((_, i) => vectors.reduce((total, vector) => total + vector[i]!, 0));
}

/** Numbers in [0, 1), by the constants of Numerical Recipes. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}
