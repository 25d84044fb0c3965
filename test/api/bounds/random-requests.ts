/**
 * Random requests over all routes of a running API: never a 5xx.
 */
import fc from 'fast-check';
import type { Pool } from '../../../db/stores/postgres.ts';
import { createBearer } from '../../support/app/app.ts';
import { HttpClient, type Sent } from '../../support/app/http.ts';
import { insertTellingPractice, insertUser } from '../../support/domain/practices.ts';
import { registeredRoutes, type Route } from '../routes.ts';
import { limitOf, worstValues } from './shapes.ts';

/** Which the API must have. */
export const INTERNAL_KEY = 'a key that only services know';
/** Requests that are under way at a time. */
const ABREAST = 16;
/** Whose requests they are: of one account few are under way at a time, and large ones rest in between. */
const ACCOUNTS = 64;
/** Requests drawn at a time: so few that the server still has others to answer meanwhile. */
const AT_A_TIME = 20;

const FIELDS = [
  'events',
  'locale',
  'entity_type',
  'entity_id',
  'event_id',
  'page',
  'value',
  'duration_ms',
];
const MORE_FIELDS = [
  'feedbackType',
  'cron',
  'every_ms',
  'timezone',
  'enabled',
  'practice_id',
  'user_id',
];
const NAMES = [
  'wait',
  'limit',
  'cursor',
  'tags',
  'tags[]',
  'exclude_ids',
  'cron',
  'every_ms',
  'timezone',
  'after',
  'count',
];
const WORDS = [
  'practice',
  'page',
  'like',
  'dislike',
  'en',
  'zh-TW',
  '* * * * *',
  '59 59 23 29 2 MON',
  'Asia/Taipei',
  'refresh-recommendations',
  '1',
  '20',
  '60000',
  '2026-03-01T02:00:00Z',
  // Text that no store takes.
  'a\0b',
  '\ud83d',
];

const word = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.uuid(),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const value = fc.oneof(
  word,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.jsonValue({ maxDepth: 4 }),
);
const fields = fc.dictionary(
  fc.oneof(fc.constantFrom(...FIELDS, ...MORE_FIELDS), fc.string()),
  value,
  { maxKeys: 6 },
);
/** Valid but for its texts, so that some are stored. */
const event = fc.record({
  event_id: fc.uuid(),
  event_type: fc.constantFrom('page_view', 'like', 'share'),
  entity_type: fc.constant('page'),
  entity_id: word,
  page: word,
  occurred_at: fc.constant(new Date().toISOString()),
});
const json = fc.oneof(
  fields,
  fc.record({ events: fc.array(event, { maxLength: 20 }) }),
  fc.record({ events: fc.array(fields, { maxLength: 20 }) }),
  fc.jsonValue(),
);

/** Some as large as the route takes. */
function bodyFor(
  url: string,
  shapes: ReadonlyMap<number, readonly Buffer[]>,
): fc.Arbitrary<Buffer | undefined> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 10, arbitrary: json.map((given) => Buffer.from(JSON.stringify(given))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: word.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.constantFrom(...shapes.get(limitOf(url))!) },
  );
}

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

interface Given {
  tokens: readonly string[];
  /** Of what is there. */
  ids: readonly string[];
  /** Bodies as large as a route takes, by their length. */
  shapes: ReadonlyMap<number, readonly Buffer[]>;
}

function requestOn({ method, url }: Route, { tokens, ids, shapes }: Given): fc.Arbitrary<Sent> {
  return fc
    .record({
      parameter: fc.oneof(
        fc.constantFrom(...ids, ...WORDS),
        fc.uuid(),
        fc.string({ maxLength: 120 }),
      ),
      query: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), word, { maxKeys: 4 }),
      token: fc.constantFrom(...tokens),
      type: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain'),
      key: fc.option(fc.stringMatching(/^[\x20-\x7e]{1,300}$/), { nil: undefined }),
      body: bodyFor(url, shapes),
    })
    .map(({ parameter, query, token, type, key, body }) => {
      const part = encoded(parameter) || '-';
      const pairs = Object.entries(query).map(
        ([name, text]) => `${encoded(name)}=${encoded(text)}`,
      );
      // A wait would only take time.
      const search = pairs
        .filter((pair) => !pair.startsWith('wait='))
        .join('&')
        .slice(0, 8000);
      const sends = method === 'GET' || method === 'HEAD' ? undefined : body;
      return {
        method,
        path: `${url.replaceAll(/:\w+|\*/g, () => part)}?${search}`,
        headers: {
          'x-internal-api-key': INTERNAL_KEY,
          ...(token !== '' && { authorization: token }),
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(sends && { 'content-type': type, 'content-length': String(sends.length) }),
        },
        body: sends,
      };
    });
}

/** The API that the requests go to. */
export interface Target {
  origin: string;
  /** Its secret, and its database. */
  jwtSecurity: string;
  pool: Pool;
}

export interface Answers {
  /** How many of each status. */
  counts: Map<number, number>;
  /** The requests that the server failed at, in brief. */
  failed: string[];
}

/** Sends so many, several at a time. */
export async function sendRandomRequests(
  target: Target,
  many: number,
  seed: number,
): Promise<Answers> {
  const client = new HttpClient(target.origin, ABREAST);
  const requests = await randomRequests(target, seed);
  const answers: Answers = { counts: new Map(), failed: [] };
  let left = many;
  const sender = async (): Promise<void> => {
    while (left-- > 0) {
      const request = requests.next().value;
      const { status } = await client.send(request);
      answers.counts.set(status, (answers.counts.get(status) ?? 0) + 1);
      if (status < 500) continue;
      const { method, path, body } = request;
      answers.failed.push(`${status} ${method} ${path} ${body?.toString().slice(0, 500)}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: ABREAST }, sender));
    return answers;
  } finally {
    client.close();
  }
}

/** Without end, the same for the same seed. */
async function randomRequests(
  { pool, jwtSecurity }: Target,
  seed: number,
): Promise<Generator<Sent, never>> {
  const tokens: string[] = [];
  const ids: string[] = [];
  for (let account = 0; account < ACCOUNTS; account++) {
    const user = await insertUser(pool);
    ids.push(user.externalId, await insertTellingPractice(pool, user.id));
    tokens.push(await createBearer(user, jwtSecurity));
    tokens.push(await createBearer(user, jwtSecurity, ['admin']));
    tokens.push('Bearer broken', '');
  }
  const shapes = new Map(
    ['/events', '/'].map((url): [number, Buffer[]] => {
      const limit = limitOf(url);
      return [limit, Object.values(worstValues(limit)).map((text) => Buffer.from(text))];
    }),
  );
  const routes = (await registeredRoutes()).filter(({ url }) => !url.startsWith('/docs'));
  const any = fc.oneof(...routes.map((route) => requestOn(route, { tokens, ids, shapes })));
  return (function* () {
    for (let next = seed; ; next++) yield* fc.sample(any, { numRuns: AT_A_TIME, seed: next });
  })();
}
