/** Collections of the vector store: Qdrant, or its local stand-in. */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Vectors } from '../stores/qdrant.ts';

export type Kind = 'users' | 'practices';

/** Reads use aliases, so that a new collection can be filled while another is in use. */
export const ALIASES: Record<Kind, string> = {
  users: 'daodao_users',
  practices: 'daodao_practices',
};

/** The embedding model; vectors of different models are not comparable. */
export interface Model {
  name: string;
  /** Vector length. */
  size: number;
}

export function embeddingModelOf({
  embeddingModel: name,
  vectorSize: size,
}: Pick<ResolvedConfig, 'embeddingModel' | 'vectorSize'>): Model {
  return { name, size };
}

export function collectionOf(kind: Kind, { name, size }: Model): string {
  return `${ALIASES[kind]}_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}_${size}`;
}

/** Payload fields used in filters, with their index types. */
const INDEXES = {
  owner: 'keyword',
  tags: 'keyword',
  status: 'keyword',
  privacy: 'keyword',
  locale: 'keyword',
  version: 'integer',
  removed: 'bool',
} as const;

/**
 * Creates the model's collections, payload indexes and aliases if missing. Idempotent and safe to run concurrently. An alias moves
 * to this model only if its current collection is empty; otherwise `useModel` moves it.
 */
export async function prepareVectors(client: Vectors, model: Model): Promise<void> {
  for (const kind of ['users', 'practices'] as const) {
    const collection = collectionOf(kind, model);
    await ensureCollection(client, collection, model.size);
    await declareIndexes(client, collection);
    const target = await targetOf(client, kind);
    const isEmpty =
      target === undefined || (await client.count(target, { exact: true })).count === 0;
    if (isEmpty && target !== collection) await point(client, kind, target, collection);
  }
}

/** Switches reads to this model's collections. @returns the collections used before, if others. */
export async function useModel(client: Vectors, model: Model): Promise<string[]> {
  const left: string[] = [];
  for (const kind of ['practices', 'users'] as const) {
    const target = await targetOf(client, kind);
    const collection = collectionOf(kind, model);
    if (target === collection) continue;
    await point(client, kind, target, collection);
    if (target !== undefined) left.push(target);
  }
  return left;
}

async function targetOf(client: Vectors, kind: Kind): Promise<string | undefined> {
  const { aliases } = await client.getAliases();
  return aliases.find(({ alias_name: name }) => name === ALIASES[kind])?.collection_name;
}

/** Switches atomically, so that the alias always exists. */
async function point(
  client: Vectors,
  kind: Kind,
  from: string | undefined,
  to: string,
): Promise<void> {
  const alias = ALIASES[kind];
  try {
    await client.updateCollectionAliases({
      actions: [
        ...(from === undefined ? [] : [{ delete_alias: { alias_name: alias } }]),
        { create_alias: { alias_name: alias, collection_name: to } },
      ],
    });
  } catch (error) {
    // A concurrent run did it first.
    if ((await targetOf(client, kind)) !== to) throw error;
  }
}

async function ensureCollection(client: Vectors, name: string, size: number): Promise<void> {
  if ((await client.collectionExists(name)).exists) return;
  try {
    await client.createCollection(name, { vectors: { size, distance: 'Cosine' } });
  } catch (error) {
    // A concurrent run created it first.
    if (!(await client.collectionExists(name)).exists) throw error;
  }
}

async function declareIndexes(client: Vectors, name: string): Promise<void> {
  for (const [field, schema] of Object.entries(INDEXES)) {
    await client.createPayloadIndex(name, { field_name: field, field_schema: schema, wait: true });
  }
}
