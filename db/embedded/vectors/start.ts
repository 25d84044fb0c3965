/**
 * The local vector store: a stand-in for the part of Qdrant's REST interface that this project uses.
 */
import path from 'node:path';
import { forkEngine, type Engine } from '../host/engine.ts';

/**
 * Starts the store in a child process, on the folder `vectors` of the data directory, which one store at a time may use.
 * `@qdrant/js-client-rest` connects to it. Search is exact and in memory: for thousands of points, not for millions.
 */
export function startVectorStore({ dataDir }: { dataDir: string }): Promise<Engine> {
  const folder = path.resolve(dataDir, 'vectors');
  return forkEngine('vectors', new URL('./server.js', import.meta.url), { folder });
}
