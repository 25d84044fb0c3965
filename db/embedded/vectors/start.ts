/**
 * The local vector store: a stand-in, in a child process, for the part of Qdrant's REST interface that this project uses.
 * One store at a time may use `<dataDir>/vectors`. Exact search in memory suits thousands of points, not millions.
 */
import path from 'node:path';
import { forkEngine, type Engine } from '../host/engine.ts';

export function startVectorStore({ dataDir }: { dataDir: string }): Promise<Engine> {
  const folder = path.resolve(dataDir, 'vectors');
  return forkEngine('vectors', new URL('./server.js', import.meta.url), { folder });
}
