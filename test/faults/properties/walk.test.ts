/**
 * One request costs nobody else anything: every route, with the worst that it takes, neither blocks the event loop nor answers at length.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createBearer, startTestApp, type TestApp } from '../../support/app/app.ts';
import { HttpClient, type Received } from '../../support/app/http.ts';
import { insertUser } from '../../support/domain/practices.ts';
import { percentile, stallOf } from '../../support/event-loop.ts';
import { stretched } from '../../support/patience.ts';
import { ORDERS, report } from '../experiment.ts';
import { calledOf, registeredRoutes, type Route } from '../../api/routes.ts';
import { limitOf, worstEvents, worstQueries, worstValues } from '../../api/bounds/shapes.ts';

/** What one request may hold up the event loop, in milliseconds at p99. */
const STALL_MS = 50;
/** With `--full`, where nothing runs beside it, the requirement; else less than the 300 ms and more that a body takes without its bounds. */
const P99_MS = ORDERS.full === true ? STALL_MS : stretched(2 * STALL_MS);
const LONGEST_MS = stretched(4 * STALL_MS);
/** Of an answer, in bytes; the largest is the description of the API. */
const ANSWER_BYTES = 512 * 1024;
/** Below the limit for headers, with the request line. */
const URL_BYTES = 14_000;
/** A stall that the request causes comes every time; one of the machine does not. */
const TRIES = 4;

/** Who ask in turn, so that none rests after a large body. */
const MEMBERS = 16;

const INTERNAL_KEY = 'a key that only services know';

interface Described {
  requestBody?: { content: Record<string, { schema: { properties?: object } }> };
  parameters?: { in: string; name: string }[];
}

interface Case {
  name: string;
  method: Route['method'];
  path: string;
  body?: Buffer;
  headers?: Record<string, string>;
}

/** The longest of each request, in milliseconds. */
const stalls: number[] = [];

let app: TestApp;
const bearers: string[] = [];
let sent = 0;
let client: HttpClient;
before(async () => {
  app = await startTestApp(() => ({ role: 'api', internalApiKey: INTERNAL_KEY }));
  client = new HttpClient(app.app.origin!, 1);
  while (bearers.length < MEMBERS) {
    const user = await insertUser(app.database.pool);
    bearers.push(await createBearer(user, app.config.jwtSecurity, ['user', 'admin']));
  }
});
after(async () => {
  client.close();
  await app.stop();
});

function send({ method, path, body, headers: more }: Case): Promise<Received> {
  const headers = {
    authorization: bearers[sent++ % MEMBERS]!,
    'x-internal-api-key': INTERNAL_KEY,
    ...(body && { 'content-type': 'application/json' }),
    ...more,
  };
  return client.send({ method, path, body, headers });
}

async function description(): Promise<Record<string, Record<string, Described>>> {
  const response = await fetch(new URL('/openapi.json', app.app.origin));
  return ((await response.json()) as { paths: Record<string, Record<string, Described>> }).paths;
}

function* bodiesOf({ method, url }: Route, described: Described): Generator<Case> {
  const path = calledOf(url);
  const limit = limitOf(url);
  const schema = described.requestBody?.content['application/json']?.schema;
  const give = (name: string, text: string): Case => {
    const body = Buffer.from(text);
    assert.ok(body.length <= limit, `${name} is larger than the route takes`);
    return { name, method, path, body };
  };
  const fields = Object.keys(schema?.properties ?? {});
  const values = Object.entries(worstValues(limit - 100));
  for (const field of fields) {
    for (const [name, value] of values) yield give(`${name} as ${field}`, `{"${field}":${value}}`);
  }
  if (fields.length === 0) for (const [name, value] of values) yield give(name, value);
  if (limit === limitOf('/events')) {
    const valid = {
      event_id: randomUUID(),
      event_type: 'content_view',
      entity_type: 'page',
      entity_id: 'About',
      occurred_at: new Date().toISOString(),
    };
    for (const [name, text] of Object.entries(worstEvents(limit, valid))) yield give(name, text);
  }
}

function* queriesOf({ method, url }: Route, described: Described): Generator<Case> {
  const path = calledOf(url);
  const names = (described.parameters ?? []).filter((one) => one.in === 'query');
  const shapes = worstQueries(
    names.map(({ name }) => encodeURIComponent(name)),
    URL_BYTES,
  );
  for (const [name, query] of Object.entries(shapes)) {
    yield { name, method, path: `${path}?${query.slice(0, URL_BYTES)}` };
  }
  const rare = encodeURIComponent('59 59 23 29 2 MON');
  yield { name: 'a rare date', method, path: `${path}?count=100&cron=${rare}` };
  yield { name: 'a long parameter', method, path: calledOf(url, 'a'.repeat(URL_BYTES)) };
  yield { name: 'the longest parameter', method, path: calledOf(url, 'a'.repeat(100)) };
  const cookie = 'a=b;'.repeat(URL_BYTES / 4);
  yield { name: 'many cookies', method, path, headers: { authorization: '', cookie } };
  yield {
    name: 'a long token',
    method,
    path,
    headers: { authorization: `Bearer ${'a.'.repeat(6500)}` },
  };
  yield { name: 'a long key', method, path, headers: { 'idempotency-key': 'k'.repeat(13_000) } };
}

function* casesOf(route: Route, described: Described): Generator<Case> {
  yield* queriesOf(route, described);
  if (route.method !== 'GET' && route.method !== 'HEAD') yield* bodiesOf(route, described);
}

/** Every way in which a request broke the bounds. */
async function problemsOf(one: Case): Promise<string[]> {
  const problems = new Set<string>();
  let least = Infinity;
  for (let time = 0; time < TRIES && least > STALL_MS; time++) {
    const { value, stallMs } = await stallOf(() => send(one));
    least = Math.min(least, stallMs);
    if (value.status >= 500) problems.add(`${one.name}: ${value.status}`);
    const { length } = value.body;
    if (length > ANSWER_BYTES) problems.add(`${one.name}: ${length} bytes`);
  }
  stalls.push(least);
  if (least > LONGEST_MS) problems.add(`${one.name}: a stall of ${Math.round(least)} ms`);
  return [...problems];
}

test('the worst that a route takes holds up nobody, and is answered in brief', async (t) => {
  const paths = await description();
  const violations: string[] = [];
  const routes = await registeredRoutes();
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    const described = paths[path]?.[route.method.toLowerCase()] ?? {};
    for (const one of casesOf(route, described)) {
      const problems = await problemsOf(one);
      violations.push(...problems.map((problem) => `${route.method} ${route.url}: ${problem}`));
    }
  }
  const p99 = percentile(stalls, 0.99);
  if (stalls.length < 500) violations.push(`only ${stalls.length} requests were made`);
  if (p99 > P99_MS) violations.push(`the loop was held up ${p99.toFixed(1)} ms at p99`);
  report(t, {
    figure: `${stalls.length} requests, the worst that each of ${routes.length} routes takes`,
    result: `held up the event loop ${p99.toFixed(1)} ms at p99, ${Math.max(...stalls).toFixed(0)} ms at most`,
    violations,
  });
});
