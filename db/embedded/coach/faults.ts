/**
 * Faults that the coach injects on request, as observed in real servers.
 */
import type { ServerResponse } from 'node:http';
import { sendJson } from '../host/http.ts';
import { wrap, type Completion } from './completion.ts';
import { findFacts } from './facts.ts';

interface Call {
  body: Record<string, unknown>;
  /** The completion without the fault. */
  completion: Completion;
}

type Misbehave = (res: ServerResponse, call: Call) => void;

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
  /** Rejects structured output, as servers without it do. */
  'no-schema': (res, { body, completion }) => {
    if ('response_format' in body) fail(res, 400, 'response_format is not supported');
    else sendJson(res, 200, completion);
  },
  hang: () => undefined,
  drip: (res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => res.write(' '), 50);
    res.on('close', () => clearInterval(timer));
  },
  cut: (res, { completion }) => {
    const body = JSON.stringify(completion);
    res.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    res.write(body.slice(0, body.length / 2), () => res.destroy());
  },
  html: (res) => {
    res.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Be right back</h1></html>');
  },
  'empty-object': (res) => sendJson(res, 200, {}),
  /** Half of a JSON document in a complete HTTP response. */
  'broken-json': (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [');
  },
  blank: (res, call) => say(res, call, ''),
  length: (res, { completion }) => sendJson(res, 200, ended(completion, 'length')),
  filter: (res, { completion }) => sendJson(res, 200, ended(completion, 'content_filter')),
  schema: (res, call) => say(res, call, '{"summary": "很好", "score": 5}'),
  think: (res, call) =>
    say(res, call, `<think>先想一想…{"a":1}</think>\n${textOf(call.completion)}`),
  fence: (res, call) => say(res, call, `\`\`\`json\n${textOf(call.completion)}\n\`\`\``),
  plain: (res, call) => {
    const sections = JSON.parse(textOf(call.completion)) as Record<string, string>;
    say(res, call, Object.values(sections).join('\n\n'));
  },
  /** Violates the tone rules in the first paragraph. */
  tone: (res, call) => {
    const sections = JSON.parse(textOf(call.completion)) as Record<string, string>;
    const preach = '你必須堅持下去，連續 30 天都不要放棄！Never give up, keep your streak! ';
    say(
      res,
      call,
      JSON.stringify({ ...sections, breakthrough: preach + sections['breakthrough'] }),
    );
  },
  /** Obeys an injected instruction: repeats the text after `SAY:` in a note. */
  attacker: (res, call) => {
    const facts = findFacts(call.body['messages'] as unknown[]);
    const order = facts?.notes.map(({ text }) => /SAY:([\s\S]*)/.exec(text)?.[1]).find(Boolean);
    say(res, call, order ?? textOf(call.completion));
  },
} as const satisfies Record<string, Misbehave>;

/** `none` lets one call succeed. */
export type Fault = keyof typeof FAULTS | 'none';

export function isFault(value: unknown): value is Fault {
  return typeof value === 'string' && (value === 'none' || Object.hasOwn(FAULTS, value));
}

export function fail(
  res: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code: string | null = null,
): void {
  sendJson(res, status, { error: { message, type: 'error', code } }, headers);
}

function say(res: ServerResponse, { body }: Call, content: string): void {
  sendJson(res, 200, wrap(content, JSON.stringify(body['messages'])));
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
