/**
 * The offline coach: an OpenAI-compatible stand-in for a language model. It derives three paragraphs from the facts of a
 * practice, and the same practice always yields the same ones.
 */
import { forkEngine, type Engine } from '../host/engine.ts';

/**
 * Starts the coach in a child process. The URL ends in `/v1` and serves as `OPENAI_BASE_URL`.
 * @param options.delayMs the duration of each completion.
 */
export function startCoach({ delayMs }: { delayMs: number }): Promise<Engine> {
  return forkEngine('coach', new URL('./server.js', import.meta.url), { delayMs });
}
