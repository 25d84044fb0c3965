/** A worker thread that runs a bare handler: what the way to the threads costs, without what surrounds a task there. */
import { parentPort } from 'node:worker_threads';
import {
  packMoves,
  unpackBatch,
  type FromThread,
  type ThreadJob,
} from '../../../workers/protocol.ts';
import { Line, type LineAttempt } from '../../../workers/thread/line.ts';
import { RESULT, type Payload } from '../peers/peer.ts';

async function handle(_payload: Payload): Promise<typeof RESULT> {
  return RESULT;
}

function begin({ payload }: ThreadJob): LineAttempt {
  let result = '';
  let ranMs = 0;
  return {
    get ranMs() {
      return ranMs;
    },
    open: async () => undefined,
    async handle() {
      const startedMs = performance.now();
      result = JSON.stringify(await handle(JSON.parse(payload) as Payload));
      ranMs = performance.now() - startedMs;
    },
    settle: async () => ({ kind: 'succeeded', result }),
    giveBack: async (reason) => ({ kind: 'released', delayMs: 0, reason }),
  };
}

const line = new Line({
  concurrency: 16,
  begin,
  tell(moves) {
    parentPort?.postMessage({ type: 'moved', text: packMoves(moves) } satisfies FromThread);
  },
});

export default function run(batch: string): Promise<void> {
  return line.add(unpackBatch(batch).jobs);
}
