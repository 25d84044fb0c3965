/**
 * The OpenAI envelope around what the coach says.
 */
import type { ServerResponse } from 'node:http';
import { findFacts } from './facts.ts';
import { writeEnglish } from './en.ts';
import { writeChinese } from './zh.ts';
import { hash } from './embedding.ts';

export interface Completion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: {
    index: number;
    finish_reason: string;
    message: { role: 'assistant'; content: string };
  }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

/** @param messages of the request; without practice data among them the coach only says what it is. */
export function completionOf(messages: unknown[]): Completion {
  const facts = findFacts(messages);
  const prompt = JSON.stringify(messages);
  const content =
    facts === undefined
      ? 'I am the offline coach: I can only write feedback on practice data.'
      : JSON.stringify(facts.locale === 'en' ? writeEnglish(facts) : writeChinese(facts));
  return wrap(content, prompt);
}

/** A completion that says `content`. */
export function wrap(content: string, prompt: string): Completion {
  const [promptTokens, completionTokens] = [roughTokens(prompt), roughTokens(content)];
  return {
    id: `chatcmpl-${hash(prompt).toString(16)}`,
    object: 'chat.completion',
    created: 0,
    model: 'offline-coach',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  };
}

/** The same as server-sent events, some characters at a time. */
export function streamCompletion(res: ServerResponse, completion: Completion): void {
  const { choices, usage, ...head } = completion;
  const event = (delta: object, finish: string | null, extra: object = {}) => {
    const chunk = {
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...extra,
    };
    res.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  event({ role: 'assistant', content: '' }, null);
  for (const piece of choices[0]!.message.content.match(/[\s\S]{1,16}/gu) ?? []) {
    event({ content: piece }, null);
  }
  event({}, 'stop', { usage });
  res.end('data: [DONE]\n\n');
}

/** One token per CJK character, one per four others: near enough to show that tokens are counted. */
function roughTokens(text: string): number {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  return han + Math.ceil((text.length - han) / 4);
}
