/**
 * Asking the embedding model: as few calls as its limits allow, and a text that it refuses keeps no other from its vector.
 */
import { LlmError, outcomeOf } from '../llm/error.ts';
import type { Embeddings } from '../llm/model.ts';
import type { Context } from '../define.ts';
import { callsOf } from './tokens.ts';

/** A model that refuses this as well refuses everything, for instance because its name or the key is wrong. */
const HARMLESS = 'tea';

/** A call with the items whose vectors it made, in order; or an item whose text was refused. */
export type Answered<T> = { items: T[]; call: Embeddings } | { refused: T };

type Asking = Pick<Context, 'embedder' | 'signal'>;

/**
 * Asks for the items in order; the next call is made when the answer to the last one has been dealt with.
 * @throws {Retry | Reject} when the model is unavailable, or refuses everything.
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

/** Undefined when the model refuses the request. */
async function ask(texts: readonly string[], ctx: Asking): Promise<Embeddings | undefined> {
  try {
    return await ctx.embedder.embed(texts, ctx.signal);
  } catch (error) {
    if (error instanceof LlmError && error.reason === 'refused') return undefined;
    throw outcomeOf(error);
  }
}
