/** Sends commands to running workers and reports which did not answer. */
import type { Overview, WorkerAnswer } from '../jobs/queue/index.ts';
import type { Input, Option } from './command.ts';
import type { QueueStores } from './stores.ts';

/** Default timeout for answers, in milliseconds. */
const TIMEOUT_MS = 2000;

export const JSON_OPTION = {
  json: { kind: 'flag', describe: 'print one JSON document' },
} as const satisfies Record<string, Option>;

export const ASK_OPTIONS = {
  worker: { kind: 'text', describe: 'only this worker: its id or a prefix of it' },
  timeout: { kind: 'number', describe: `timeout for answers, in ms; default ${TIMEOUT_MS}` },
  ...JSON_OPTION,
} as const satisfies Record<string, Option>;

/** @throws when `--worker` matches no worker, or several. */
export async function ask(
  { control, inspector }: QueueStores,
  input: Input,
  verb: string,
  args: object = {},
): Promise<WorkerAnswer[]> {
  const beginning = input.text('worker');
  let workers: string[] | undefined;
  if (beginning !== undefined) {
    const { workers: known } = await inspector.overview();
    workers = known.map(({ id }) => id).filter((id) => id.startsWith(beginning));
    if (workers.length !== 1) {
      const problem = workers.length === 0 ? 'No worker has' : 'More than one worker has';
      throw new Error(
        `${problem} an id that starts with ${beginning}: inspect workers lists them.`,
      );
    }
  }
  return control.broadcast(verb, args, {
    timeoutMs: input.number('timeout') ?? TIMEOUT_MS,
    workers,
  });
}

export function answersOf<T>(said: readonly WorkerAnswer[]): { worker: string; answer: T }[] {
  return said.flatMap((one) =>
    one.kind === 'answered' ? [{ worker: one.worker, answer: one.answer as T }] : [],
  );
}

/** One line per worker that failed. */
export function troubles(said: readonly WorkerAnswer[]): string[] {
  return said.flatMap((one) => {
    if (one.kind === 'answered') return [];
    if (one.kind === 'refused') return [`${one.worker}  refused: ${one.error}`];
    return [`${one.worker}  ${one.kind === 'silent' ? 'did not answer in time' : 'is gone'}`];
  });
}

/** Counts workers with a live lease. */
export function countServing({ workers }: Overview, queue: string): number {
  return workers.filter(({ leaseLeftMs, queues }) => leaseLeftMs > 0 && queues.includes(queue))
    .length;
}

/** 1 when a worker failed, or when there is none. */
export function exitCodeOf(said: readonly WorkerAnswer[]): number {
  return said.length > 0 && said.every(({ kind }) => kind === 'answered') ? 0 : 1;
}
