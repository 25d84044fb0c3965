/** A worker thread that runs a bare handler: what the way to the threads costs, without what surrounds a task there. */
import { parentPort } from 'node:worker_threads';
import {
  packMoves,
  unpackBatch,
  type AttemptEnd,
  type FromThread,
  type ThreadJob,
} from '../../../workers/protocol.ts';
import { Line } from '../../../workers/thread/line.ts';
import { RESULT, type Payload } from '../peers/peer.ts';

async function handle(_payload: Payload): Promise<typeof RESULT> {
  return RESULT;
}

async function attempt({ payload }: ThreadJob): Promise<AttemptEnd> {
  const startedMs = performance.now();
  const result = JSON.stringify(await handle(JSON.parse(payload) as Payload));
  return { kind: 'succeeded', result, durationMs: performance.now() - startedMs };
}

const line = new Line({
  concurrency: 16,
  run: attempt,
  tell(started, ended) {
    const text = packMoves({ started, ended });
    parentPort?.postMessage({ type: 'moved', text } satisfies FromThread);
  },
});

export default function run(batch: string): Promise<void> {
  return line.add(unpackBatch(batch).jobs);
}
