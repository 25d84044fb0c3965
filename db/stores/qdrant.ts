/** Qdrant, or its local stand-in. The first connection loads its client. */
import type { QdrantClient, Schemas } from '@qdrant/js-client-rest';
import type { ResolvedConfig } from '../../base/config.ts';
import { fetchOk } from './probe.ts';
import type { Store } from './store.ts';

export type Vectors = QdrantClient;
export type VectorSchemas = Schemas;

/** Times out after 5 s per request. */
export async function connectVectors({
  qdrantUrl: url,
  qdrantApiKey: apiKey,
}: Pick<ResolvedConfig, 'qdrantUrl' | 'qdrantApiKey'>): Promise<Vectors> {
  const { QdrantClient: Client } = await import('@qdrant/js-client-rest');
  return new Client({
    url,
    timeout: 5000,
    // The check and the `apiKey` option may both write to the console.
    checkCompatibility: false,
    ...(apiKey === undefined ? {} : { headers: { 'api-key': apiKey } }),
  });
}

const TOO_MANY_REQUESTS = 429;

export const vectors: Store = {
  engine: 'vectors',
  title: 'Qdrant',
  variable: 'QDRANT_URL',
  urlOf: ({ qdrantUrl }) => qdrantUrl,
  // The client's default, even for https.
  defaultPort: () => '6333',
  secretsOf: ({ qdrantApiKey }) => [qdrantApiKey],
  isUnavailable(error) {
    if (!(error instanceof Error)) return false;
    // The client's HTTP error has no distinct name.
    if ('statusText' in error && 'status' in error && typeof error.status === 'number') {
      return error.status >= 500 || error.status === TOO_MANY_REQUESTS;
    }
    return error.name.startsWith('QdrantClient') || error.message === 'fetch failed';
  },
  async probe({ qdrantUrl, qdrantApiKey }, signal) {
    const url = new URL(qdrantUrl);
    const target = new URL(`${url.pathname.replace(/\/$/, '')}/collections`, url.origin);
    if (url.port === '') target.port = '6333';
    const headers = new Headers(qdrantApiKey === undefined ? {} : { 'api-key': qdrantApiKey });
    const answer = await fetchOk(target, { headers, signal });
    if (!/"collections"\s*:\s*\[/.test(answer)) throw new Error('the server there is not Qdrant');
  },
};
