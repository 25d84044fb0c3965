/**
 * Wraps the coach's text in an OpenAI chat completion.
 */
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

/** Without practice data among the messages, the coach only introduces itself. */
export function completionOf(messages: unknown[]): Completion {
  const facts = findFacts(messages);
  const prompt = JSON.stringify(messages);
  const content =
    facts === undefined
      ? 'I am the offline coach: I can only write feedback on practice data.'
      : JSON.stringify(facts.locale === 'en' ? writeEnglish(facts) : writeChinese(facts));
  return wrap(content, prompt);
}

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

/** Estimates one token per Han character and one per four others. */
function roughTokens(text: string): number {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  return han + Math.ceil((text.length - han) / 4);
}
