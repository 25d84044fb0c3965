/** Queries behaviour in ClickHouse, with bounded and streamed results. */
import { clickhouse as store, type Clickhouse } from '../stores/clickhouse.ts';
import { callStore } from '../stores/unavailable.ts';
import { connectOnce } from '../../base/connect-once.ts';

export interface Engagement {
  userId: string;
  /** External id of the practice. */
  practiceId: string;
  /** The user's activity on the practice in 14 days: days seen, time spent, clicks and likes. */
  weight: number;
}

export interface Popularity {
  /** External id of the practice. */
  id: string;
  /** Activity of all users in 30 days, recent days weighted most. */
  score: number;
}

/** Maximum practices per user. */
const MOST_PER_USER = 30;

/** Each kind of activity counts once per user and day. Visits report a growing time: a day's maximum counts, up to 10 minutes. */
const DAILY = `
  SELECT user_id, entity_id, toDate(occurred_at, 'Asia/Taipei') AS day,
    toFloat64(max(event_type IN ('content_view', 'page_view', 'impression')))
      * if(max(event_type IN ('content_view', 'page_view')) = 1, 1, 0.1) AS seen,
    least(max(if(event_type = 'time_spent', coalesce(duration_ms, 0), 0)), 600000) / 120000 AS spent,
    toFloat64(max(event_type = 'card_click')) AS clicked,
    3 * toFloat64(max(event_type IN ('like', 'share', 'comment'))) AS liked
  FROM daodao.user_events FINAL`;

/** Drops malformed practice ids, which Postgres would reject. */
const IS_ID = (column: string): string =>
  `match(${column}, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')`;

export class Behaviour {
  readonly #client: () => Promise<Clickhouse>;

  /** @param connect called on first use: most threads never need the client, which takes some megabytes. */
  constructor(connect: () => Promise<Clickhouse>) {
    this.#client = connectOnce(connect);
  }

  /** Whether the same call may succeed later. */
  isUnavailable(error: unknown): boolean {
    return store.isUnavailable(error);
  }

  /** Each user's activity in 14 days, strongest first. */
  async engagement(userIds: readonly string[]): Promise<Engagement[]> {
    return this.#read<Engagement>(
      `SELECT user_id AS userId, entity_id AS practiceId, sum(seen + spent + clicked + liked) AS weight
       FROM (${DAILY}
         WHERE user_id IN {users:Array(String)} AND entity_type = 'practice' AND occurred_at > now() - INTERVAL 14 DAY
         GROUP BY user_id, entity_id, day)
       WHERE ${IS_ID('entity_id')} GROUP BY userId, practiceId ORDER BY userId, weight DESC, practiceId LIMIT ${MOST_PER_USER} BY userId`,
      { users: [...userIds] },
    );
  }

  /** Most popular practices of 30 days; the weight of a day falls to a third after ten days. */
  async popular(limit: number): Promise<Popularity[]> {
    return this.#read<Popularity>(
      `SELECT entity_id AS id,
         sum((seen + spent + clicked + liked) * exp(-dateDiff('day', day, toDate(now(), 'Asia/Taipei')) / 9)) AS score
       FROM (${DAILY} WHERE entity_type = 'practice' AND occurred_at > now() - INTERVAL 30 DAY
         GROUP BY user_id, entity_id, day)
       WHERE ${IS_ID('entity_id')} GROUP BY id ORDER BY score DESC, id LIMIT {limit:UInt32}`,
      { limit },
    );
  }

  async #read<T>(query: string, parameters: Record<string, unknown>): Promise<T[]> {
    const clickhouse = await this.#client();
    return callStore(store, async () => {
      const answer = await clickhouse.query({
        query,
        query_params: parameters,
        format: 'JSONEachRow',
      });
      const found: T[] = [];
      for await (const rows of answer.stream<T>()) {
        for (const row of rows) found.push(row.json());
      }
      return found;
    });
  }
}
