/**
 * How the coach misbehaves when told to: what real servers were seen to do.
 */
import type { ServerResponse } from 'node:http';
import { streamCompletion, wrap, type Completion } from './completion.ts';
import { findFacts } from './facts.ts';

interface Call {
  body: Record<string, unknown>;
  /** What a sound coach would have said. */
  completion: Completion;
}

type Misbehave = (res: ServerResponse, call: Call) => void;

/** `Retry-After` of a 429, in seconds. */
const RETRY_AFTER_SECONDS = 7;

export const FAULTS = {
  '429': (res) =>
    fail(res, 429, 'rate limit reached', { 'retry-after': String(RETRY_AFTER_SECONDS) }),
  '429-date': (res) => {
    const date = new Date(Date.now() + RETRY_AFTER_SECONDS * 1000).toUTCString();
    fail(res, 429, 'rate limit reached', { 'retry-after': date });
  },
  '429-bare': (res) => fail(res, 429, 'rate limit reached'),
  quota: (res) => fail(res, 429, 'quota used up', {}, 'insufficient_quota'),
  '500': (res) => fail(res, 500, 'internal error'),
  '401': (res) => fail(res, 401, 'incorrect API key provided'),
  /** Like servers that do not know structured output; without it they answer. */
  'no-schema': (res, { body, completion }) => {
    if ('response_format' in body) fail(res, 400, 'response_format is not supported');
    else json(res, completion);
  },
  /** Accepts and never answers. */
  hang: () => undefined,
  /** Answers one byte at a time, for ever. */
  drip: (res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => res.write(' '), 50);
    res.on('close', () => clearInterval(timer));
  },
  /** Breaks off half way. */
  cut: (res, { completion }) => {
    const body = JSON.stringify(completion);
    res.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    res.write(body.slice(0, body.length / 2), () => res.destroy());
  },
  /** A gateway's page with status 200. */
  html: (res) => {
    res.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Be right back</h1></html>');
  },
  'empty-object': (res) => json(res, {}),
  /** Half of a JSON document, complete as far as HTTP knows. */
  'broken-json': (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [');
  },
  blank: (res, call) => say(res, call, ''),
  length: (res, { completion }) => json(res, ended(completion, 'length')),
  filter: (res, { completion }) => json(res, ended(completion, 'content_filter')),
  /** JSON of another shape. */
  schema: (res, call) => say(res, call, '{"summary": "很好", "score": 5}'),
  think: (res, call) =>
    say(res, call, `<think>先想一想…{"a":1}</think>\n${textOf(call.completion)}`),
  fence: (res, call) => say(res, call, `\`\`\`json\n${textOf(call.completion)}\n\`\`\``),
  plain: (res, call) => {
    const sections = JSON.parse(textOf(call.completion)) as Record<string, string>;
    say(res, call, Object.values(sections).join('\n\n'));
  },
  /** Breaks the tone in its first paragraph. */
  tone: (res, call) => {
    const sections = JSON.parse(textOf(call.completion)) as Record<string, string>;
    const preach = '你必須堅持下去，連續 30 天都不要放棄！Never give up, keep your streak! ';
    say(
      res,
      call,
      JSON.stringify({ ...sections, breakthrough: preach + sections['breakthrough'] }),
    );
  },
  /** Obeys what a note says after `SAY:`, to the letter. */
  attacker: (res, call) => {
    const facts = findFacts(call.body['messages'] as unknown[]);
    const order = facts?.notes.map(({ text }) => /SAY:([\s\S]*)/.exec(text)?.[1]).find(Boolean);
    say(res, call, order ?? textOf(call.completion));
  },
} as const satisfies Record<string, Misbehave>;

/** `none` lets a call pass in between. */
export type Fault = keyof typeof FAULTS | 'none';

export function isFault(value: unknown): value is Fault {
  return typeof value === 'string' && (value === 'none' || Object.hasOwn(FAULTS, value));
}

function fail(
  res: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code: string | null = null,
): void {
  res
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ error: { message, type: 'error', code } }));
}

function json(res: ServerResponse, body: object): void {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function say(res: ServerResponse, { body }: Call, content: string): void {
  const completion = wrap(content, JSON.stringify(body['messages']));
  if (body['stream'] === true) streamCompletion(res, completion);
  else json(res, completion);
}

function ended(completion: Completion, reason: string): Completion {
  return {
    ...completion,
    choices: completion.choices.map((choice) => ({ ...choice, finish_reason: reason })),
  };
}

function textOf(completion: Completion): string {
  return completion.choices[0]!.message.content;
}
