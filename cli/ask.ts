/** Asking workers that run, and showing who did not answer. */
import type { Overview, WorkerAnswer } from '../jobs/queue/index.ts';
import type { Input, Option } from './command.ts';
import type { QueueStores } from './stores.ts';

/** Longest wait for answers unless told otherwise, in milliseconds. */
const TIMEOUT_MS = 2000;

export const JSON_OPTION = {
  json: { kind: 'flag', describe: 'print one JSON document' },
} as const satisfies Record<string, Option>;

export const ASK_OPTIONS = {
  worker: { kind: 'text', describe: 'only this worker: its id, or the beginning of it' },
  timeout: { kind: 'number', describe: `longest wait for answers, in ms; default ${TIMEOUT_MS}` },
  ...JSON_OPTION,
} as const satisfies Record<string, Option>;

/** @throws when `--worker` names none, or more than one. */
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
        `${problem} an id that begins with ${beginning}: inspect workers lists them.`,
      );
    }
  }
  return control.broadcast(verb, args, {
    timeoutMs: input.number('timeout') ?? TIMEOUT_MS,
    workers,
  });
}

/** What those said who answered, by worker. */
export function answersOf<T>(said: readonly WorkerAnswer[]): { worker: string; answer: T }[] {
  return said.flatMap((one) =>
    one.kind === 'answered' ? [{ worker: one.worker, answer: one.answer as T }] : [],
  );
}

/** A line for each worker that did not do it. */
export function troubles(said: readonly WorkerAnswer[]): string[] {
  return said.flatMap((one) => {
    if (one.kind === 'answered') return [];
    if (one.kind === 'refused') return [`${one.worker}  refused: ${one.error}`];
    return [`${one.worker}  ${one.kind === 'silent' ? 'did not answer in time' : 'is gone'}`];
  });
}

/** How many workers that are heard of serve a queue. */
export function countServing({ workers }: Overview, queue: string): number {
  return workers.filter(({ leaseLeftMs, queues }) => leaseLeftMs > 0 && queues.includes(queue))
    .length;
}

/** 1 when somebody did not do it, or when there was nobody to do it. */
export function exitCodeOf(said: readonly WorkerAnswer[]): number {
  return said.length > 0 && said.every(({ kind }) => kind === 'answered') ? 0 : 1;
}
