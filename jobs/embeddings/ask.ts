/** Calls the embedding model in as few batches as its limits allow, and isolates texts that it rejects. */
import { LlmError, outcomeOf } from '../llm/error.ts';
import type { Embeddings } from '../llm/model.ts';
import type { Context } from '../define.ts';
import { callsOf } from './tokens.ts';

/** Probe text. A model that rejects this rejects everything, for example because of a wrong model name or key. */
const HARMLESS = 'tea';

/** A call with the items it embedded, in order, or an item whose text the model rejected. */
export type Answered<T> = { items: T[]; call: Embeddings } | { refused: T };

type Asking = Pick<Context, 'embedder' | 'signal'>;

/**
 * Embeds the items in order; makes the next call when the consumer asks for the next answer.
 * @throws {Retry | Reject} when the model is unavailable, or rejects even a harmless text.
 */
export async function* askFor<T>(
  items: readonly T[],
  textOf: (item: T) => string,
  ctx: Asking,
): AsyncGenerator<Answered<T>> {
  let from = 0;
  for (const texts of callsOf(items.map(textOf))) {
    const some = items.slice(from, (from += texts.length));
    const call = await ask(texts, ctx);
    if (call !== undefined) {
      yield { items: some, call };
      continue;
    }
    const harmless = await ctx.embedder.embed([HARMLESS], ctx.signal).catch((error: unknown) => {
      throw outcomeOf(error);
    });
    yield { items: [], call: harmless };
    for (const item of some) {
      const alone = some.length > 1 ? await ask([textOf(item)], ctx) : undefined;
      yield alone === undefined ? { refused: item } : { items: [item], call: alone };
    }
  }
}

/** @returns undefined when the model rejects the request. */
async function ask(texts: readonly string[], ctx: Asking): Promise<Embeddings | undefined> {
  try {
    return await ctx.embedder.embed(texts, ctx.signal);
  } catch (error) {
    if (error instanceof LlmError && error.reason === 'refused') return undefined;
    throw outcomeOf(error);
  }
}
