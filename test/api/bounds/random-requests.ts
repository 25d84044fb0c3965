/**
 * Random requests over all routes of a running API: never a 5xx.
 */
import { Agent, request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { createBearer, startTestApp } from '../../support/app/app.ts';
import { insertUser } from '../../support/domain/practices.ts';
import { registeredRoutes, type Route } from '../routes.ts';
import { limitOf, worstValues } from './shapes.ts';

const INTERNAL_KEY = 'a key that only services know';
const ABREAST = 8;

interface RandomRequest {
  method: Route['method'];
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

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
const json = fc.oneof(
  fields,
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
    { weight: 1, arbitrary: fc.constantFrom(...shapes.get(limitOf(url))!) },
  );
}

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

function requestOn(
  { method, url }: Route,
  tokens: readonly string[],
  shapes: ReadonlyMap<number, readonly Buffer[]>,
): fc.Arbitrary<RandomRequest> {
  return fc
    .record({
      parameter: fc.oneof(fc.uuid(), fc.constantFrom(...WORDS), fc.string({ maxLength: 120 })),
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

/** Sends so many, several at a time. @returns those that the server failed at, in brief. */
export async function sendRandomRequests(many: number, seed: number): Promise<string[]> {
  const app = await startTestApp(() => ({ role: 'api', internalApiKey: INTERNAL_KEY }));
  const agent = new Agent({ keepAlive: true, maxSockets: ABREAST });
  try {
    const user = await insertUser(app.database.pool);
    const secret = app.config.jwtSecurity;
    const tokens = [
      await createBearer(user, secret),
      await createBearer(user, secret, ['admin']),
      'Bearer broken',
      '',
    ];
    const shapes = new Map(
      ['/events', '/'].map((url): [number, Buffer[]] => {
        const limit = limitOf(url);
        return [limit, Object.values(worstValues(limit)).map((text) => Buffer.from(text))];
      }),
    );
    const routes = (await registeredRoutes()).filter(({ url }) => !url.startsWith('/docs'));
    const requests = fc.oneof(...routes.map((route) => requestOn(route, tokens, shapes)));
    const failed: string[] = [];
    const origin = app.app.origin!;
    for (let from = 0; from < many; from += 500) {
      const some = fc.sample(requests, { numRuns: Math.min(500, many - from), seed: seed + from });
      const next = some.values();
      const sender = async (): Promise<void> => {
        for (const request of next) {
          const status = await send(origin, agent, request);
          if (status >= 500)
            failed.push(
              `${status} ${request.method} ${request.path} ${request.body?.toString().slice(0, 500)}`,
            );
        }
      };
      await Promise.all(Array.from({ length: ABREAST }, sender));
    }
    return failed;
  } finally {
    agent.destroy();
    await app.stop();
  }
}

function send(
  origin: string,
  agent: Agent,
  { method, path, headers, body }: RandomRequest,
): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(new URL(origin + path), { method, agent, headers })
      .on('error', reject)
      .on('response', (response) => {
        response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
        response.resume();
      })
      .end(body);
  });
}
