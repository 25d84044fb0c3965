/**
 * The local vector store: a stand-in that speaks the part of Qdrant's REST interface which this project uses.
 */
import path from 'node:path';
import { forkEngine, type Engine } from '../host/engine.ts';

export interface VectorStoreOptions {
  /** Folder of all embedded data; the store takes `vectors` in it. One store at a time. */
  dataDir: string;
}

/**
 * Starts the store in a process of its own; `@qdrant/js-client-rest` takes it for a server.
 * Search is exact and in memory: right for thousands of points, not for millions.
 */
export async function startVectorStore({ dataDir }: VectorStoreOptions): Promise<Engine> {
  return forkEngine({
    name: 'vectors',
    module: new URL('./server.js', import.meta.url),
    options: { folder: path.resolve(dataDir, 'vectors') },
  });
}
