/**
 * A worker thread that loads nothing, so that a start costs a tenth of that of the real one. A job whose payload is
 * `"stay"` ends; any other throws.
 */
import { parentPort } from 'node:worker_threads';
import { packMoves, unpackBatch, type FromThread, type Moves } from '../../../workers/protocol.ts';

function move(moves: Partial<Moves>): void {
  const text = packMoves({ started: [], handled: [], ended: [], ...moves });
  parentPort?.postMessage({ type: 'moved', text } satisfies FromThread);
}

export default async function run(batch: string): Promise<void> {
  for (const { id, payload } of unpackBatch(batch).jobs) {
    if (payload === '"stay"') {
      move({ ended: [{ id, end: { kind: 'obsolete', reason: 'it stays' } }] });
    } else {
      move({ started: [id] });
      setImmediate(() => {
        throw new Error(`escaped from ${id}`);
      });
      await new Promise(() => undefined);
    }
  }
}
