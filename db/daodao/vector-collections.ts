/**
 * The collections of the vector store: Qdrant, or locally the store that answers like it.
 */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Vectors } from '../stores/qdrant.ts';

export type Kind = 'users' | 'practices';

/** What reads name: aliases, so that a collection can be filled beside the one in use. */
export const ALIASES: Record<Kind, string> = {
  users: 'daodao_users',
  practices: 'daodao_practices',
};

/** Who makes the vectors; those of different models cannot be compared. */
export interface Model {
  name: string;
  /** Length of its vectors. */
  size: number;
}

export function embeddingModelOf({
  embeddingModel: name,
  vectorSize: size,
}: Pick<ResolvedConfig, 'embeddingModel' | 'vectorSize'>): Model {
  return { name, size };
}

/** The collection that holds the vectors of a model. */
export function collectionOf(kind: Kind, { name, size }: Model): string {
  return `${ALIASES[kind]}_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}_${size}`;
}

/** Payload fields that filters name, by type. */
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
 * Creates the collections of a model, their payload indexes and the aliases where they are missing. Safe to repeat and to run
 * twice at a time: whoever comes second finds the work done. An alias stays with the model in use until `useModel`, unless
 * there is nothing in its collection.
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

/**
 * Lets reads use the vectors of this model from now on.
 * @returns the collections they used before, where those were others.
 */
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

/** In one step: there is no moment without the alias. */
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
    // Another run was first.
    if ((await targetOf(client, kind)) !== to) throw error;
  }
}

async function ensureCollection(client: Vectors, name: string, size: number): Promise<void> {
  if ((await client.collectionExists(name)).exists) return;
  try {
    await client.createCollection(name, { vectors: { size, distance: 'Cosine' } });
  } catch (error) {
    // Another run was first: the collection is there all the same.
    if (!(await client.collectionExists(name)).exists) throw error;
  }
}

async function declareIndexes(client: Vectors, name: string): Promise<void> {
  for (const [field, schema] of Object.entries(INDEXES)) {
    await client.createPayloadIndex(name, { field_name: field, field_schema: schema, wait: true });
  }
}
