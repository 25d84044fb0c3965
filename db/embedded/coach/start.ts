/**
 * The offline coach: an OpenAI-compatible stand-in for a language model, in a child process. It derives three paragraphs
 * from the facts of a practice, always the same ones for the same practice.
 */
import { forkEngine, type Engine } from '../host/engine.ts';

/** The URL ends in `/v1`, as OPENAI_BASE_URL does. Each completion takes `delayMs`. */
export function startCoach({ delayMs }: { delayMs: number }): Promise<Engine> {
  return forkEngine('coach', new URL('./server.js', import.meta.url), { delayMs });
}
