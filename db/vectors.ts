/**
 * The vector store: Qdrant, or locally the store that answers like it.
 */
import { QdrantClient } from '@qdrant/js-client-rest';
import type { ResolvedConfig } from '../config.ts';
import { AppError } from '../errors.ts';

export type Vectors = QdrantClient;

/** What reads and writes name: aliases, so that a collection can be rebuilt beside the one in use. */
export const USERS = 'daodao_users';
export const PRACTICES = 'daodao_practices';

/** Version of what is embedded. A new one gets collections of its own. */
const VERSION = 1;

/** Payload fields that filters name, by type. */
const INDEXES = {
  owner: 'keyword',
  tags: 'keyword',
  status: 'keyword',
  privacy: 'keyword',
  locale: 'keyword',
  version: 'integer',
} as const;

/** A client that gives up on a request after 5 s. */
export function createVectors(config: Pick<ResolvedConfig, 'qdrantUrl' | 'qdrantApiKey'>): Vectors {
  const { qdrantUrl, qdrantApiKey } = config;
  return new QdrantClient({
    url: qdrantUrl,
    timeout: 5000,
    // Both this check and the option `apiKey` may write to the console.
    checkCompatibility: false,
    ...(qdrantApiKey === undefined ? {} : { headers: { 'api-key': qdrantApiKey } }),
  });
}

/**
 * Creates the collections, their payload indexes and the aliases where they are missing. Safe to repeat and to run
 * twice at a time: whoever comes second finds the work done. An alias that exists stays where it points.
 * @param size length of the vectors.
 * @throws {AppError} CONFIG_INVALID when an alias leads to vectors of another length.
 */
export async function prepareVectors(client: Vectors, { size }: { size: number }): Promise<void> {
  for (const alias of [USERS, PRACTICES]) {
    const { aliases } = await client.getAliases();
    const target = aliases.find(({ alias_name: name }) => name === alias)?.collection_name;
    const collection = target ?? `${alias}_v${VERSION}_${size}`;
    if (target === undefined) await ensureCollection(client, collection, size);
    await checkSize(client, collection, size);
    await declareIndexes(client, collection);
    if (target === undefined) {
      await client.updateCollectionAliases({
        actions: [{ create_alias: { alias_name: alias, collection_name: collection } }],
      });
    }
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

async function checkSize(client: Vectors, name: string, size: number): Promise<void> {
  const { config } = await client.getCollection(name);
  const found = config.params.vectors?.size;
  if (found === size) return;
  throw new AppError('CONFIG_INVALID', {
    message: `VECTOR_SIZE is ${size}, but collection ${name} holds vectors of ${JSON.stringify(found)} numbers.`,
  });
}

async function declareIndexes(client: Vectors, name: string): Promise<void> {
  for (const [field, schema] of Object.entries(INDEXES)) {
    await client.createPayloadIndex(name, { field_name: field, field_schema: schema, wait: true });
  }
}
