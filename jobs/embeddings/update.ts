/** Keeps vectors in step with their source texts. Stages are idempotent across attempts; unchanged texts cost no call. */
import { Type, type Static } from 'typebox';
import {
  findStates,
  intend,
  markSeen,
  markWritten,
  EMBEDDING_VERSION,
  type EmbeddingState,
  type Written,
} from '../../db/daodao/embedding-state.ts';
import { findUserSources, type UserSource } from '../../db/daodao/embedding-sources.ts';
import { recordLlmCall } from '../../db/llm/calls.ts';
import type { VectorPoint } from '../../db/daodao/vector-index.ts';
import type { Kind } from '../../db/daodao/vector-collections.ts';
import type { Context } from '../define.ts';
import { askFor } from './ask.ts';
import { digest, practiceEntity, userEntity, type Entity } from './text.ts';

/** Increment when text building changes; every vector is then recomputed. */
const TEXT_VERSION = 1;

/** Results of an update, in points. */
export const Counts = Type.Object({
  embedded: Type.Integer(),
  /** Payload updated, vector kept. */
  relabelled: Type.Integer(),
  removed: Type.Integer(),
  unchanged: Type.Integer(),
  /** Left unchanged because the model rejected the text; the next update tries again. */
  refused: Type.Integer(),
  /** Successful calls of the embedding model. */
  calls: Type.Integer(),
});
export type Counts = Static<typeof Counts>;

export const NOTHING: Counts = {
  embedded: 0,
  relabelled: 0,
  removed: 0,
  unchanged: 0,
  refused: 0,
  calls: 0,
};

export function add(a: Counts, b: Counts): Counts {
  return {
    embedded: a.embedded + b.embedded,
    relabelled: a.relabelled + b.relabelled,
    removed: a.removed + b.removed,
    unchanged: a.unchanged + b.unchanged,
    refused: a.refused + b.refused,
    calls: a.calls + b.calls,
  };
}

interface Item extends Entity {
  kind: Kind;
  sourceAt: string;
  contentHash: string | null;
  payloadHash: string | null;
}

/**
 * Updates the points of these users and all their practices.
 * @param anew also embeds unchanged texts. Default false.
 * @throws {Retry | Reject} when the embedding model is unavailable, or rejects even a harmless text.
 */
export async function updateUsers(
  userIds: readonly string[],
  ctx: Context,
  { anew = false } = {},
): Promise<Counts> {
  const version = await ctx.nextval(EMBEDDING_VERSION);
  const sources = await findUserSources(ctx.db, userIds);
  // Practices first: a written user point implies that all of the user's practices are written.
  const practices = await write('practices', sources.flatMap(practicesOf), version, ctx, anew);
  const users = await write('users', sources.map(userOf), version, ctx, anew);
  return add(practices, users);
}

const practicesOf = (user: UserSource): Item[] =>
  user.practices.map((practice) =>
    itemOf('practices', practiceEntity(practice, user), user.sourceAt),
  );

const userOf = (user: UserSource): Item => itemOf('users', userEntity(user), user.sourceAt);

function itemOf(kind: Kind, entity: Entity, sourceAt: string): Item {
  const { wanted } = entity;
  return {
    ...entity,
    kind,
    sourceAt,
    contentHash: wanted === undefined ? null : digest([TEXT_VERSION, wanted.text]),
    payloadHash: wanted === undefined ? null : digest(wanted.payload),
  };
}

async function write(
  kind: Kind,
  items: readonly Item[],
  version: number,
  ctx: Context,
  anew: boolean,
): Promise<Counts> {
  if (items.length === 0) return NOTHING;
  const collection = ctx.vectors.collection(kind);
  const states = await findStates(
    ctx.db,
    collection,
    items.map(({ id }) => id),
  );
  const isAsWritten = (item: Item): boolean => !anew && isSame(item, states.get(item.id));
  const [seen, changed] = split(items, isAsWritten);
  const name = `${kind}:${version}`;
  const hadPoint = await ctx.transaction(`intend ${name}`, (tx) =>
    intend(
      tx,
      collection,
      version,
      changed.map(({ id, wanted }) => ({ entityId: id, removed: wanted === undefined })),
    ),
  );
  // A later version has overtaken the others.
  const mine = changed.filter(({ id }) => id in hadPoint);
  const [gone, wanted] = split(mine, (item) => item.wanted === undefined);
  const removed = gone.filter(({ id }) => hadPoint[id]);
  await ctx.vectors.remove(
    kind,
    version,
    removed.map(({ id }) => id),
  );
  const sameText = wanted.filter(
    ({ id, contentHash }) => !anew && states.get(id)?.written?.contentHash === contentHash,
  );
  const vectors = await ctx.vectors.written(
    kind,
    sameText.map(({ id }) => id),
  );
  const [relabelled, fresh] = split(wanted, ({ id }) => vectors.has(id));
  if (relabelled.length > 0) {
    const points = relabelled.map((item) => pointOf(item, vectors.get(item.id)!));
    await ctx.vectors.write(kind, version, points);
  }
  await ctx.transaction(`written ${name}`, async (tx) => {
    await markWritten(tx, collection, version, [...gone, ...relabelled].map(noteOf));
    await markSeen(
      tx,
      collection,
      seen.map(({ id, sourceAt }) => ({ entityId: id, sourceAt })),
    );
  });
  const { embedded, refused, calls } = await embed(kind, fresh, version, ctx);
  return {
    embedded,
    relabelled: relabelled.length,
    removed: removed.length,
    unchanged: seen.length + gone.length - removed.length,
    refused,
    calls,
  };
}

/** Writes and records each call's vectors before the next call, so that a later attempt does not pay for them again. */
async function embed(
  kind: Kind,
  items: readonly Item[],
  version: number,
  ctx: Context,
): Promise<Pick<Counts, 'embedded' | 'refused' | 'calls'>> {
  let [embedded, refused, calls] = [0, 0, 0];
  for await (const answer of askFor(items, ({ wanted }) => wanted!.text, ctx)) {
    if ('refused' in answer) {
      refused++;
      ctx.log('the embedding model refuses a text', { kind, id: answer.refused.id });
      continue;
    }
    const { items: made, call } = answer;
    const points = made.map((item, index) => pointOf(item, call.vectors[index]!));
    await ctx.vectors.write(kind, version, points);
    const step = `embed ${kind}:${version}:${calls}`;
    await ctx.transaction(step, async (tx) => {
      await markWritten(tx, ctx.vectors.collection(kind), version, made.map(noteOf));
      await recordLlmCall(tx, {
        ...call,
        taskId: ctx.job.id,
        step,
        promptVersion: `embedding-${TEXT_VERSION}`,
        completionTokens: null,
        status: 'ok',
      });
    });
    embedded += made.length;
    calls++;
  }
  return { embedded, refused, calls };
}

const pointOf = ({ id, wanted, contentHash }: Item, vector: readonly number[]): VectorPoint => ({
  id,
  vector,
  payload: { ...wanted!.payload, content_hash: contentHash },
});

const noteOf = (item: Item): Written => ({
  ...item,
  entityId: item.id,
  removed: item.wanted === undefined,
});

function isSame({ wanted, contentHash, payloadHash }: Item, state?: EmbeddingState): boolean {
  const written = state?.written;
  if (written === undefined) return false;
  if (wanted === undefined) return written.removed;
  return (
    !written.removed && written.contentHash === contentHash && written.payloadHash === payloadHash
  );
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [passed: T[], failed: T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
