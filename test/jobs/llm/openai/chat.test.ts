import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Fault } from '../../../../db/embedded/coach/faults.ts';
import { buildPrompt } from '../../../../jobs/feedback/prompt.ts';
import { parseReply } from '../../../../jobs/feedback/reply/parse.ts';
import { createLlm } from '../../../../jobs/llm/openai/chat.ts';
import { LlmError, outcomeOf, type LlmReason } from '../../../../jobs/llm/error.ts';
import { Reject, Retry } from '../../../../jobs/framework/errors.ts';
import { startTestCoach, type TestCoach } from '../../../support/domain/coach.ts';
import { HANG_MS } from '../../../support/patience.ts';
import { createMaterial } from '../../../support/domain/practice.ts';

/** For a reply that comes, and for one that never does. */
const [TIMEOUT_MS, SHORT_MS] = [HANG_MS, 300];
/** A secret and a piece of a note that must appear in no error. */
const CANARIES = ['sk-canary-key', '查字典'];
const PROMPT = buildPrompt(createMaterial(), 'zh-TW');

let coach: TestCoach;
before(async () => {
  coach = await startTestCoach();
});
after(() => coach.stop());

function llm(timeoutMs = TIMEOUT_MS) {
  return createLlm({ baseUrl: coach.url, apiKey: CANARIES[0]!, model: 'any', timeoutMs });
}

async function failureOf(reply: Promise<unknown>): Promise<LlmError> {
  const error = await reply.then(
    () => assert.fail('there was a reply'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LlmError, String(error));
  return error;
}

test('a sound reply comes with what it cost and who made it', async () => {
  const reply = await llm().chat(PROMPT);
  assert.ok('sections' in parseReply(reply.text));
  assert.equal(reply.provider, 'offline');
  assert.equal(reply.model, 'offline-coach');
  assert.ok(reply.promptTokens > 100 && reply.completionTokens > 100 && reply.latencyMs >= 0);
});

test('an empty reply and one that was cut off are replies, with what they cost', async () => {
  await coach.control({ faults: ['blank', 'length'] });
  const blank = await llm().chat(PROMPT);
  assert.deepEqual([blank.text, blank.truncated], ['', false]);
  const cut = await llm().chat(PROMPT);
  assert.equal(cut.truncated, true);
  for (const { promptTokens } of [blank, cut]) assert.ok(promptTokens > 100);
});

const FAILURES: [Fault, LlmReason, boolean][] = [
  ['429', 'rate_limited', true],
  ['429-date', 'rate_limited', true],
  ['429-bare', 'rate_limited', true],
  ['quota', 'quota', false],
  ['500', 'unavailable', true],
  ['401', 'refused', false],
  ['hang', 'timeout', true],
  ['drip', 'timeout', true],
  ['cut', 'connection', true],
  ['html', 'malformed', true],
  ['empty-object', 'malformed', true],
  ['broken-json', 'malformed', true],
  ['filter', 'filtered', false],
];

for (const [fault, reason, retryable] of FAILURES) {
  test(`${fault} is ${reason}, ${retryable ? 'to be tried again' : 'final'}, asked once and tells no secret`, async () => {
    const asked = await coach.chatCalls();
    await coach.control({ faults: [fault] });
    const timeoutMs = reason === 'timeout' ? SHORT_MS : TIMEOUT_MS;
    const error = await failureOf(llm(timeoutMs).chat(PROMPT));
    assert.deepEqual([error.reason, error.retryable], [reason, retryable]);
    assert.equal(await coach.chatCalls(), asked + 1);
    const told = JSON.stringify([error.message, error.stack, error, String(error.cause)]);
    for (const canary of CANARIES) assert.ok(!told.includes(canary));
  });
}

test('Retry-After is read as seconds and as a date, and missing is missing', async () => {
  await coach.control({ faults: ['429', '429-date', '429-bare'] });
  assert.equal((await failureOf(llm().chat(PROMPT))).retryAfterMs, 7000);
  const byDate = (await failureOf(llm().chat(PROMPT))).retryAfterMs;
  assert.ok(byDate !== undefined && byDate > 0 && byDate <= 7000, String(byDate));
  assert.equal((await failureOf(llm().chat(PROMPT))).retryAfterMs, undefined);
});

test('a server that refuses response_format is asked once more without it, and never again with it', async () => {
  const asked = await coach.chatCalls();
  await coach.control({ faults: ['no-schema', 'no-schema', 'no-schema'] });
  const model = llm();
  assert.ok('sections' in parseReply((await model.chat(PROMPT)).text));
  assert.ok('sections' in parseReply((await model.chat(PROMPT)).text));
  assert.equal(await coach.chatCalls(), asked + 3);
});

test('the deadline covers both tries of a server that refuses response_format and then hangs', async () => {
  await coach.control({ faults: ['no-schema', 'hang'] });
  assert.equal((await failureOf(llm(SHORT_MS).chat(PROMPT))).reason, 'timeout');
});

test('an abort ends the call at once with its own reason', async () => {
  await coach.control({ faults: ['hang'] });
  const controller = new AbortController();
  const reason = new Error('revoked');
  const asked = await coach.chatCalls();
  const reply = llm(60_000).chat({ ...PROMPT, signal: controller.signal });
  while ((await coach.chatCalls()) === asked);
  controller.abort(reason);
  await assert.rejects(reply, reason);
  await assert.rejects(llm().chat({ ...PROMPT, signal: controller.signal }), reason);
});

test('a server that is not there is a connection to try again', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const model = createLlm({ baseUrl, apiKey: 'k', model: 'any', timeoutMs: TIMEOUT_MS });
  const error = await failureOf(model.chat(PROMPT));
  assert.deepEqual([error.reason, error.retryable], ['connection', true]);
});

test('what Postgres could not store is gone from a reply, and an unknown server is named by its host', async () => {
  const body = JSON.stringify({
    model: `m\0\ud800${'x'.repeat(500)}`,
    choices: [{ message: { role: 'assistant', content: 'a\0b\ud800c' } }],
  });
  const server = createServer((_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const model = createLlm({
      baseUrl: `http://${host}/v1`,
      apiKey: 'k',
      model: 'mine',
      timeoutMs: TIMEOUT_MS,
    });
    const { latencyMs, ...reply } = await model.chat(PROMPT);
    assert.ok(latencyMs >= 0);
    assert.deepEqual(reply, {
      text: 'ab\ufffdc',
      truncated: false,
      provider: host,
      model: `m\ufffd${'x'.repeat(198)}`,
      promptTokens: 0,
      completionTokens: 0,
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a task retries when asking again can help, no sooner than the server wishes, and gives up otherwise', () => {
  const retry = outcomeOf(new LlmError('rate_limited', { retryAfterMs: 7000 }));
  assert.ok(retry instanceof Retry);
  assert.deepEqual([retry.code, retry.atLeastMs], ['LLM_UNAVAILABLE', 7000]);
  const refused = outcomeOf(new LlmError('refused', { status: 401 }));
  assert.ok(refused instanceof Reject && refused.code === 'LLM_UNAVAILABLE');
  const filtered = outcomeOf(new LlmError('filtered'));
  assert.ok(filtered instanceof Reject && filtered.code === 'LLM_REPLY_INVALID');
  const other = new Error('revoked');
  assert.equal(outcomeOf(other), other);
});
