/**
 * The offline coach: an OpenAI-compatible server on loopback for machines without a model. It is no model: it builds
 * the three paragraphs from the facts of the practice, the same ones for the same practice.
 */
import { forkEngine, type Engine } from '../host/engine.ts';

export interface CoachOptions {
  /** How long each answer takes, in milliseconds. */
  delayMs: number;
}

/** Starts the coach in a process of its own. The URL ends in `/v1`, ready to be an `OPENAI_BASE_URL`. */
export function startCoach({ delayMs }: CoachOptions): Promise<Engine> {
  return forkEngine({
    name: 'coach',
    module: new URL('./server.js', import.meta.url),
    options: { delayMs },
  });
}
