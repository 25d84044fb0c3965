/** Command that rebuilds all vectors, after a loss of the vector store or for another embedding model. */
import { createTaskClient } from '../../jobs/framework/calls/client.ts';
import { TASKS } from '../../jobs/tasks.ts';
import { updateUserEmbeddings } from '../../jobs/embeddings/task.ts';
import { TaskWaiter } from '../../jobs/framework/calls/waiter.ts';
import { say } from '../output.ts';
import { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Commands } from '../command.ts';
import { withQueue, type QueueStores } from '../stores.ts';

/** Interval of progress output, in milliseconds. */
const SHOW_MS = 2000;

async function reindex({ broker, db }: QueueStores): Promise<number> {
  const pool = db();
  const waiter = new TaskWaiter(pool, broker, () => undefined);
  const client = createTaskClient({
    db: pool,
    broker,
    waiter,
    telemetry: new Telemetry(),
    tasks: TASKS,
    queues: [],
  });
  await waiter.start();
  try {
    const dedupeKey = `${updateUserEmbeddings.name}:anew`;
    const { id } = await client.applyAsync(updateUserEmbeddings, { anew: true }, { dedupeKey });
    say(
      `Task ${id} rebuilds all vectors. A worker must be running; interrupting this command does not stop the task.`,
    );
    for (let shown = ''; ;) {
      await client.waitUntilFinished(id, SHOW_MS);
      const { status, progress, result, error_message: problem } = (await client.find(id))!;
      if (status === 'done') {
        say(`Done: ${JSON.stringify(result)}. Reads use these vectors now.`);
        return 0;
      }
      if (status === 'error' || status === 'revoked') {
        say(`The task failed: ${problem ?? status}`);
        return 1;
      }
      const line = `  ${status}${progress?.note == null ? '' : `, ${progress.note}`}`;
      if (line !== shown) say((shown = line));
    }
  } finally {
    await waiter.stop();
  }
}

export const embeddings: Commands = {
  reindex: {
    describe: 'rebuild all vectors; reads use those of EMBEDDING_MODEL once they are complete',
    run: () => withQueue(reindex),
  },
};
