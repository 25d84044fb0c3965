/**
 * Bad input: always a 4xx with a stable code and a sentence, never a 5xx, never a stack.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ERRORS, type ErrorCode } from '../../../base/errors.ts';
import { bearer, createWorld, open, PRACTICE_ID, task, type ErrorBody } from '../fixture.ts';

const JSON_TYPE = 'application/json';
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Bodies of `POST /practices/:id/feedback`. */
const BODIES: Record<string, [body: string | Buffer, code: ErrorCode, sentence: RegExp]> = {
  'cut off': ['{"locale":', 'BODY_MALFORMED', /not valid JSON/],
  'not JSON': ['locale=en', 'BODY_MALFORMED', /not valid JSON/],
  'two values': ['{}{}', 'BODY_MALFORMED', /not valid JSON/],
  'not UTF-8': [Buffer.from([0x22, 0xff, 0x22]), 'BODY_MALFORMED', /not valid JSON/],
  'an array': ['[]', 'REQUEST_INVALID', /The body must be an object/],
  null: ['null', 'REQUEST_INVALID', /The body must be an object/],
  'a string': ['"en"', 'REQUEST_INVALID', /The body must be an object/],
  'a number for the locale': ['{"locale":1}', 'REQUEST_INVALID', /^locale \(body\) must be/],
  'null for the locale': ['{"locale":null}', 'REQUEST_INVALID', /^locale \(body\) must be/],
  'a list for the locale': ['{"locale":["en"]}', 'REQUEST_INVALID', /^locale \(body\) must be/],
  'an unknown locale': ['{"locale":"fr"}', 'REQUEST_INVALID', /must be one of zh-TW, en/],
  'an unknown field': ['{"lang":"en"}', 'REQUEST_INVALID', /unknown fields: lang/],
  __proto__: ['{"__proto__":{"locale":"en"}}', 'BODY_MALFORMED', /__proto__/],
  'an inner __proto__': ['{"a":[{"__proto__":1}]}', 'BODY_MALFORMED', /__proto__/],
  'NUL in a value': ['{"locale":"e\\u0000n"}', 'TEXT_NOT_STORABLE', /NUL/],
  'NUL in a key': ['{"a\\u0000":1}', 'TEXT_NOT_STORABLE', /NUL/],
  'half a surrogate pair': ['{"locale":"\\ud83d"}', 'TEXT_NOT_STORABLE', /surrogates/],
  'the other half, deep in a key': ['{"a":[{"\\ude00":1}]}', 'TEXT_NOT_STORABLE', /surrogates/],
  '33 levels': [nested(33), 'BODY_MALFORMED', /deeper than 32 levels/],
  '1,000 levels': [nested(1000), 'BODY_MALFORMED', /deeper than 32 levels/],
  '131,072 levels': [nested(131_072), 'BODY_MALFORMED', /deeper than 32 levels/],
  '300 KiB': [`{"a":"${'x'.repeat(300 * 1024)}"}`, 'BODY_TOO_LARGE', /256 KiB/],
};

for (const [kind, [payload, code, sentence]] of Object.entries(BODIES)) {
  test(`a body that is ${kind} is refused as ${code}`, async (t) => {
    const world = createWorld();
    const app = await open(t, world);
    const headers = { ...(await bearer()), 'content-type': JSON_TYPE };
    const url = `/practices/${PRACTICE_ID}/feedback`;
    assertRefused(await app.inject({ method: 'POST', url, headers, payload }), code, sentence);
    assert.deepEqual(world.tasks.enqueued, []);
  });
}

const TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'application/json-patch+json',
  'application/json, text/plain',
  'application/json; charset=utf-16',
  'text/json',
  'json',
  ' ',
];

test('only application/json is taken, with no charset but utf-8', async (t) => {
  const app = await open(t, createWorld());
  const auth = await bearer();
  const url = `/practices/${PRACTICE_ID}/feedback`;
  const post = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url, headers: { ...auth, ...headers }, payload: '{}' });
  for (const type of TYPES) {
    assertRefused(await post({ 'content-type': type }), 'CONTENT_TYPE_UNSUPPORTED', /application/);
  }
  for (const type of [
    JSON_TYPE,
    'Application/JSON; charset=UTF-8',
    `${JSON_TYPE};charset="utf-8"`,
  ]) {
    assert.equal((await post({ 'content-type': type })).statusCode, 202, type);
  }
});

const REQUESTS: [{ url: string; method?: 'POST' | 'PUT' | 'DELETE' }, ErrorCode, RegExp][] = [
  [{ url: '/tasks/42' }, 'REQUEST_INVALID', /^id \(path\) must be a UUID\.$/],
  [{ url: `/tasks/urn:uuid:${PRACTICE_ID}` }, 'REQUEST_INVALID', /must be a UUID/],
  [{ url: `/tasks/${PRACTICE_ID}x` }, 'REQUEST_INVALID', /must be a UUID/],
  [{ url: `/tasks/${'a'.repeat(500)}` }, 'REQUEST_INVALID', /longer than 100/],
  [
    { url: `/tasks/${PRACTICE_ID}?wait=21` },
    'REQUEST_INVALID',
    /^wait \(query\) must be at most 20\.$/,
  ],
  [{ url: `/tasks/${PRACTICE_ID}?wait=-1` }, 'REQUEST_INVALID', /must be at least 0/],
  [
    { url: `/tasks/${PRACTICE_ID}?wait=soon` },
    'REQUEST_INVALID',
    /^wait \(query\) must be a number\.$/,
  ],
  [
    { url: `/tasks/${PRACTICE_ID}?wait=1&wait=2` },
    'REQUEST_INVALID',
    /^wait \(query\) must be a number\.$/,
  ],
  [
    { url: `/tasks/${PRACTICE_ID}?wait=NaN` },
    'REQUEST_INVALID',
    /^wait \(query\) must be a number\.$/,
  ],
  [
    { url: `/tasks/${PRACTICE_ID}?wiat=1` },
    'REQUEST_INVALID',
    /^The query has unknown fields: wiat\.$/,
  ],
  [{ url: `/tasks/${PRACTICE_ID}?a=%00` }, 'TEXT_NOT_STORABLE', /NUL/],
  [{ url: `/tasks/${PRACTICE_ID}?%ED%A0%80=1` }, 'TEXT_NOT_STORABLE', /surrogates/],
  [{ url: '/tasks/%ED%A0%80' }, 'TEXT_NOT_STORABLE', /surrogates/],
  [{ url: '/tasks/%00' }, 'TEXT_NOT_STORABLE', /NUL/],
  [{ url: '/tasks/%FF' }, 'REQUEST_INVALID', /UTF-8/],
  [{ url: `/tasks/${PRACTICE_ID}?a=%E0%A4%A` }, 'REQUEST_INVALID', /UTF-8/],
  [{ url: '/practices/1/feedback' }, 'REQUEST_INVALID', /must be a UUID/],
  [{ url: '/practices/1/feedback', method: 'POST' }, 'REQUEST_INVALID', /must be a UUID/],
  [{ url: '/practices' }, 'ROUTE_NOT_FOUND', /no such route/],
  [{ url: '/../etc/passwd' }, 'ROUTE_NOT_FOUND', /no such route/],
  [{ url: '/docs/static/nothing.js' }, 'ROUTE_NOT_FOUND', /no such route/],
  [{ url: '/health', method: 'POST' }, 'METHOD_NOT_ALLOWED', /GET, HEAD/],
  [{ url: `/tasks/${PRACTICE_ID}/`, method: 'PUT' }, 'METHOD_NOT_ALLOWED', /GET, HEAD/],
  [{ url: `/practices/${PRACTICE_ID}/feedback`, method: 'PUT' }, 'METHOD_NOT_ALLOWED', /POST/],
];

for (const [request, code, sentence] of REQUESTS) {
  test(`${request.method ?? 'GET'} ${request.url.slice(0, 60)} is refused as ${code}`, async (t) => {
    const app = await open(t, createWorld());
    const answer = await app.inject({ ...request, headers: await bearer() });
    assertRefused(answer, code, sentence);
    if (code === 'METHOD_NOT_ALLOWED') assert.match(String(answer.headers.allow), sentence);
  });
}

test('a field is named as in the query, and by a pointer into the body', async (t) => {
  const app = await open(t, createWorld());
  const headers = { ...(await bearer()), 'content-type': JSON_TYPE };
  const details = async (request: { url: string; method?: 'POST'; payload?: string }) =>
    (await app.inject({ ...request, headers })).json<ErrorBody>().error.details;
  assert.deepEqual(await details({ url: `/tasks/${PRACTICE_ID}?wait=soon` }), [
    { in: 'query', field: 'wait', problem: 'must be a number' },
  ]);
  const url = `/practices/${PRACTICE_ID}/feedback`;
  assert.deepEqual(await details({ url, method: 'POST', payload: '{"locale":"fr"}' }), [
    { in: 'body', field: '/locale', problem: 'must be one of zh-TW, en' },
  ]);
});

test('an Idempotency-Key is at most 255 visible ASCII characters', async (t) => {
  const app = await open(t, createWorld());
  const auth = await bearer();
  const post = (key: string) =>
    app.inject({
      method: 'POST',
      url: `/practices/${PRACTICE_ID}/feedback`,
      headers: { ...auth, 'idempotency-key': key },
    });
  assert.equal((await post('~'.repeat(255))).statusCode, 202);
  for (const key of ['~'.repeat(256), 'two words', 'caf\u00e9', '']) {
    assertRefused(await post(key), 'REQUEST_INVALID', /^idempotency-key \(header\) must/);
  }
});

test('a trailing slash is accepted, and no body or an empty one is one with no fields', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer();
  const row = world.tasks.add(task());
  assert.equal((await app.inject({ url: `/tasks/${row.id}/`, headers })).statusCode, 200);
  const url = `/practices/${PRACTICE_ID}/feedback/`;
  assert.equal((await app.inject({ method: 'POST', url, headers })).statusCode, 202);
  const typed = { ...headers, 'content-type': JSON_TYPE };
  assert.equal((await app.inject({ method: 'POST', url, headers: typed })).statusCode, 202);
});

const RAW: [name: string, bytes: string, code: ErrorCode][] = [
  [
    'headers of 20 KiB',
    `GET /health HTTP/1.1\r\nHost: a\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
    'HEADERS_TOO_LARGE',
  ],
  ['bytes that are no HTTP', 'hello there\r\n\r\n', 'REQUEST_INVALID'],
  [
    'two lengths',
    'POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'REQUEST_INVALID',
  ],
];

for (const [name, bytes, code] of RAW) {
  test(`${name} on a socket get ${code}, then the connection is closed`, async (t) => {
    const app = await open(t, createWorld());
    await app.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(app.listeningOrigin).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.write(bytes);
    await once(socket, 'close');
    const [head = '', body = ''] = text.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1.1 ${ERRORS[code].status} `));
    assert.equal((JSON.parse(body) as ErrorBody).error.code, code);
  });
}

interface Answer {
  statusCode: number;
  headers: Record<string, unknown>;
  body: string;
  json(): unknown;
}

function assertRefused(answer: Answer, code: ErrorCode, sentence: RegExp): void {
  const { error } = answer.json() as ErrorBody;
  assert.equal(error.code, code, answer.body);
  assert.equal(answer.statusCode, ERRORS[code].status);
  assert.match(error.message, sentence);
  assert.equal(error.request_id, answer.headers['x-request-id']);
  assert.match(String(answer.headers['content-type']), /^application\/json/);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.doesNotMatch(answer.body, /\n\s+at |node_modules|\.ts\b|FST_/);
  assert.ok(answer.body.length < 2000, 'an answer does not repeat what was sent');
}
