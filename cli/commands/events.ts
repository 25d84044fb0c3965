/** Command that follows finished jobs. */
import { once } from 'node:events';
import { EventTail, type Inspector } from '../../jobs/queue/index.ts';
import { onReaderGone, say } from '../output.ts';
import { JSON_OPTION } from '../ask.ts';
import type { Commands, Input } from '../command.ts';
import { withQueue } from '../stores.ts';

/** Jobs read per call. */
const PAGE = 500;

/** One line per job: when it was seen, outcome and id. */
async function tell(
  inspector: Inspector,
  state: string,
  ids: readonly string[],
  isJson: boolean,
): Promise<void> {
  const at = new Date().toISOString();
  for (let from = 0; from < ids.length; from += PAGE) {
    const statuses = await inspector.statuses(ids.slice(from, from + PAGE));
    for (const { id, job, task = job?.task, queue = job?.queue, reason } of statuses) {
      const code = reason?.code;
      say(
        isJson
          ? JSON.stringify({ at, state, id, task, queue, code })
          : `${at}  ${state.padEnd(9)}  ${id}  ${task ?? '?'}  ${code ?? ''}`.trimEnd(),
      );
    }
  }
}

async function follow(input: Input): Promise<void> {
  await withQueue(async ({ broker, inspector }) => {
    const gone = new AbortController();
    onReaderGone(() => gone.abort());
    let telling = Promise.resolve();
    const complain = (error: unknown): void =>
      void process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    const tail = new EventTail(broker, {
      ended: () => undefined,
      endedAs(state, ids) {
        telling = telling
          .then(() => tell(inspector, state, ids, input.has('json')))
          .catch(complain);
      },
      failed: complain,
    });
    await tail.start();
    process.stderr.write('Following finished jobs; press Ctrl-C to stop.\n');
    const { signal } = gone;
    await Promise.race(['SIGINT', 'SIGTERM'].map((name) => once(process, name, { signal }))).catch(
      () => undefined,
    );
    gone.abort();
    await tail.stop();
    await telling;
  });
}

export const events: Commands = {
  events: {
    describe: 'follow finished jobs, one line each, until interrupted',
    options: { json: { ...JSON_OPTION.json, describe: 'print one JSON document per line' } },
    run: follow,
  },
};
