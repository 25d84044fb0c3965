/**
 * Members with finished practices and ended tasks, and what they ask a server for.
 */
import { randomBytes } from 'node:crypto';
import { signToken } from '../../../../api/http/auth.ts';
import { migrate } from '../../../../db/stores/migrate.ts';
import { Cache } from '../../../../db/stores/cache.ts';
import { cardsKey, MOST_CARDS, TTL_SECONDS } from '../../../../jobs/recommendations/cards.ts';
import { testConfig } from '../../../support/config.ts';
import type { Target } from '../../children/http/commands.ts';
import type { BenchDatabase } from '../../postgres.ts';

const MEMBERS = 50;
/** As many as one member may get feedback on in a day. All of them are public. */
const PRACTICES = 20;
const TASKS = 4;
const NOTE =
  '今天比昨天早十分鐘開始，窗邊的光剛好落在書頁上，讀到第三章時忽然懂了作者為什麼要從結尾寫起。';
const FEEDBACK = { practice_id: '0b54b3f4-6a44-4c39-9d0c-6d1f0f6a8a01', text: NOTE.repeat(6) };

export class Community {
  readonly secret = randomBytes(16).toString('hex');
  readonly #database: BenchDatabase;
  /** By external id. */
  readonly #tokens = new Map<string, string>();

  private constructor(database: BenchDatabase) {
    this.#database = database;
  }

  static async create(database: BenchDatabase): Promise<Community> {
    await migrate(database.url, ['daodao', 'ai']);
    const { client } = database;
    await client.query(
      `INSERT INTO users (external_id, nickname) SELECT gen_random_uuid(), 'member ' || n FROM generate_series(1, ${MEMBERS}) n`,
    );
    await client.query(
      `INSERT INTO practices (external_id, user_id, title, practice_action, status, privacy_status, duration_days,
         frequency_min_days, frequency_max_days, progress_percentage, tags)
       SELECT gen_random_uuid(), u.id, '習慣 ' || n, '每天讀十頁', 'completed', 'public', 7, 3, 5, 100, '{閱讀,早起}'
       FROM generate_series(1, ${PRACTICES}) n, users u`,
    );
    await client.query(
      `INSERT INTO practice_checkins (practice_id, user_id, checkin_date, mood, note)
       SELECT p.id, p.user_id, day, 'good', $1 FROM practices p, unnest('{2026-01-05,2026-01-07,2026-01-09}'::date[]) day`,
      [NOTE],
    );
    await client.query('ANALYZE');
    const community = new Community(database);
    const { rows } = await client.query<{ id: number; external_id: string }>(
      'SELECT id, external_id FROM users ORDER BY id',
    );
    for (const { id, external_id: externalId } of rows) {
      const claims = { id, _id: externalId, username: 'bench', isTemp: false };
      const user = { ...claims, roles: [], permissions: [] };
      const token = await signToken(community.secret, user, { expiresInSeconds: 3600 });
      community.#tokens.set(externalId, `Bearer ${token}`);
    }
    return community;
  }

  /** Ended tasks, to be read by their owners. */
  async endedTasks(): Promise<Target[]> {
    return this.#ofOwners(
      `INSERT INTO ai.tasks (id, name, queue, status, user_id, payload, priority, attempts, epoch, result, started_at, finished_at)
       SELECT gen_random_uuid(), 'generate_ai_feedback', 'ai_tasks', 'done', external_id::text, '{}', 5, 1, 1, $1, now(), now()
       FROM users, generate_series(1, ${TASKS}) RETURNING '/tasks/' || id AS path, user_id AS owner`,
      [JSON.stringify(FEEDBACK)],
    );
  }

  /** Requests for feedback, on a practice each. */
  async feedback(): Promise<Target[]> {
    return this.#ofOwners(
      `SELECT '/practices/' || p.external_id || '/feedback' AS path, u.external_id AS owner
       FROM practices p JOIN users u ON u.id = p.user_id ORDER BY p.id`,
    );
  }

  async #ofOwners(query: string, values: unknown[] = []): Promise<Target[]> {
    const { rows } = await this.#database.client.query<{ path: string; owner: string }>(
      query,
      values,
    );
    return rows.map(({ path, owner }) => ({ path, authorization: this.#tokens.get(owner)! }));
  }

  /** Cards of all members: those of one half are cached. */
  async cards(redisUrl: string): Promise<Record<'cached' | 'uncached', Target[]>> {
    const { rows } = await this.#database.client.query<{ id: string }>(
      'SELECT external_id AS id FROM practices ORDER BY md5(external_id::text) LIMIT $1',
      [MOST_CARDS],
    );
    const cards = rows.map(({ id }) => ({ id, reason: 'popular_content' }));
    const members = [...this.#tokens].map(([id, authorization]) => ({
      id,
      target: { path: '/users/me/recommendations', authorization },
    }));
    const [cached, uncached] = [members.slice(MEMBERS / 2), members.slice(0, MEMBERS / 2)];
    const cache = new Cache(redisUrl, testConfig().queuePrefix);
    for (const { id } of cached) await cache.set(cardsKey(id), 1, { cards }, TTL_SECONDS);
    cache.close();
    return {
      cached: cached.map(({ target }) => target),
      uncached: uncached.map(({ target }) => target),
    };
  }
}
