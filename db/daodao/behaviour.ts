/** Queries behaviour in ClickHouse, with bounded and streamed results. */
import { clickhouse as store, type Clickhouse } from '../stores/clickhouse.ts';
import { callStore } from '../stores/unavailable.ts';
import { makeOnce } from '../../base/make-once.ts';

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
  /** Counts one per day and member other than the owner, over 30 days; recent days weigh most. */
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

/** Practice ids, as a regular expression. */
export const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** Drops malformed practice ids, which Postgres would reject. */
const IS_ID = (column: string): string => `match(${column}, '${UUID}')`;

/** Practices read at a time, to be checked. */
const PAGE = 500;

export class Behaviour {
  readonly #client: () => Promise<Clickhouse>;

  /** @param connect called on first use: most threads never need the client, which takes some megabytes. */
  constructor(connect: () => Promise<Clickhouse>) {
    this.#client = makeOnce(connect);
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

  /**
   * Most popular practices of 30 days; the weight of a day falls to a third after ten days. Each person counts at most once for a
   * practice and day, its owner and practices that do not exist not at all.
   * @param findShown says which of some practices may be shown. Called until enough are found: others take no place.
   */
  async popular(
    limit: number,
    findShown: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<Popularity[]> {
    const found: Popularity[] = [];
    const pages = this.#readPages<Popularity>(
      `SELECT entity_id AS id,
         sum(least(1, seen + spent + clicked + liked) * exp(-dateDiff('day', day, toDate(now(), 'Asia/Taipei')) / 9)) AS score
       FROM (${DAILY} WHERE entity_type = 'practice' AND owner_id != user_id AND occurred_at > now() - INTERVAL 30 DAY
         GROUP BY user_id, entity_id, day)
       WHERE ${IS_ID('entity_id')} GROUP BY id ORDER BY score DESC, id`,
      {},
    );
    for await (const page of pages) {
      const shown = await findShown(page.map(({ id }) => id));
      found.push(...page.filter(({ id }) => shown.has(id)));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async #read<T>(query: string, parameters: Record<string, unknown>): Promise<T[]> {
    const found: T[] = [];
    for await (const page of this.#readPages<T>(query, parameters)) found.push(...page);
    return found;
  }

  /** Leaving the loop over it ends the query. */
  async *#readPages<T>(query: string, parameters: Record<string, unknown>): AsyncGenerator<T[]> {
    const clickhouse = await this.#client();
    const answer = await callStore(store, () =>
      clickhouse.query({ query, query_params: parameters, format: 'JSONEachRow' }),
    );
    try {
      const blocks: AsyncIterator<{ json(): T }[]> = answer.stream<T>()[Symbol.asyncIterator]();
      const next = () => callStore(store, () => blocks.next());
      let page: T[] = [];
      for (let block = await next(); block.done !== true; block = await next()) {
        for (const row of block.value) {
          if (page.push(row.json()) < PAGE) continue;
          yield page;
          page = [];
        }
      }
      if (page.length > 0) yield page;
    } finally {
      answer.close();
    }
  }
}
