/**
 * The client of the vector store.
 */
import { QdrantClient } from '@qdrant/js-client-rest';
import type { ResolvedConfig } from '../../base/config.ts';
import type { Vectors } from '../daodao/vector-collections.ts';

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
