/** Commands that control workers, queues and running jobs. */
import { SETTINGS } from '../../base/config.ts';
import { count } from '../../base/count.ts';
import { QUEUE_NAME, type WorkerAnswer } from '../../jobs/queue/index.ts';
import {
  answersOf,
  ask,
  ASK_OPTIONS,
  countServing,
  exitCodeOf,
  JSON_OPTION,
  troubles,
} from '../ask.ts';
import { idsOf, UsageProblem, type Command, type Commands, type Input } from '../command.ts';
import { withQueue } from '../stores.ts';
import { show } from '../table.ts';
import { purgeCommand } from './purge.ts';
import { revokeCommand, revokeThem } from './revoke.ts';

/** A command for workers. Fails when a worker fails or when there is none. */
function telling(
  about: Pick<Command, 'describe' | 'takes' | 'words' | 'options' | 'examples'>,
  verb: string,
  argsOf: (input: Input) => object,
  line: (answer: never) => string,
): Command {
  return {
    ...about,
    options: { ...about.options, ...ASK_OPTIONS },
    run: async (input) => {
      const args = argsOf(input);
      return withQueue(async (stores) => {
        const said = await ask(stores, input, verb, args);
        show(input.has('json'), { workers: said }, () => linesOf(said, line));
        return exitCodeOf(said);
      });
    },
  };
}

function linesOf(said: readonly WorkerAnswer[], line: (answer: never) => string): string[] {
  if (said.length === 0) return ['No worker is registered.'];
  const done = answersOf<never>(said).map(({ worker, answer }) => `${worker}  ${line(answer)}`);
  return [...done, ...troubles(said)];
}

const serves = ({ queues }: { queues: string[] }): string =>
  `serves ${queues.length === 0 ? 'no queue' : queues.join(', ')}`;

const QUEUE = { takes: '<queue>', words: [1, 1] } as const;
/** Has the limits of the setting WORKER_CONCURRENCY. */
function perThreadOf({ words: [text = ''] }: Input): object {
  const { min, max } = SETTINGS.WORKER_CONCURRENCY;
  const perThread = Number(text);
  if (!/^\d+$/.test(text) || perThread < min || perThread > max) {
    throw new UsageProblem(
      `The concurrency must be a whole number from ${min} to ${max}, not "${text}".`,
    );
  }
  return { perThread };
}

/** @throws {UsageProblem} for an invalid queue name. */
function nameOf({ words: [queue = ''] }: Input): string {
  if (QUEUE_NAME.test(queue)) return queue;
  throw new UsageProblem('A queue name has 1 to 64 letters, digits, "_", "." or "-".');
}

const queueOf = (input: Input): object => ({ queue: nameOf(input) });

/** Accepts a queue without workers: they may start later. The output says so, in case the name is misspelt. */
async function setPaused(input: Input, word: 'paused' | 'resumed'): Promise<void> {
  const queue = nameOf(input);
  await withQueue(async ({ control, inspector }) => {
    await (word === 'paused' ? control.pause(queue) : control.resume(queue));
    const workers = countServing(await inspector.overview(), queue);
    show(input.has('json'), { queue, word, workers }, () => [
      `${queue} is ${word}.${workers === 0 ? ' No worker serves it.' : ''}`,
    ]);
  });
}

/** Fails when no worker runs the job, unless the job was revoked. */
async function terminate(input: Input): Promise<number> {
  const [id = ''] = idsOf(input);
  const isRevoked = input.has('revoke');
  return withQueue(async (stores) => {
    // Revoked first, so that the job cannot run again, even if it waits or its worker does not answer.
    const [left] = isRevoked ? await revokeThem(stores, [id]) : [];
    const said = await ask(stores, input, 'terminate', { id, revoke: isRevoked });
    const holders = answersOf<{ terminated: boolean }>(said).filter(
      ({ answer }) => answer.terminated,
    );
    const isStopped = left?.job === 'revoked';
    show(input.has('json'), { id, workers: said, revoked: isRevoked ? left?.job : null }, () => [
      ...holders.map(({ worker }) => `${worker}  ends the thread of ${id}`),
      ...(holders.length === 0 ? [`No worker that answered runs ${id}.`] : []),
      ...(isStopped ? [`${id} is revoked.`] : []),
      ...troubles(said),
    ]);
    return holders.length > 0 || isStopped ? 0 : 1;
  });
}

export const control: Commands = {
  'control ping': telling(
    { describe: 'check that every worker answers' },
    'ping',
    () => ({}),
    ({ pid, hostname }: { pid: number; hostname: string }) => `pong, process ${pid} on ${hostname}`,
  ),
  'control pause': {
    ...QUEUE,
    describe: 'pause a queue: waiting jobs stay, running jobs continue',
    options: JSON_OPTION,
    run: (input) => setPaused(input, 'paused'),
  },
  'control resume': {
    ...QUEUE,
    describe: 'resume a queue',
    options: JSON_OPTION,
    run: (input) => setPaused(input, 'resumed'),
  },
  'control add-consumer': telling(
    { ...QUEUE, describe: 'make workers serve another queue until they restart' },
    'add_consumer',
    queueOf,
    serves,
  ),
  'control cancel-consumer': telling(
    { ...QUEUE, describe: 'make workers stop serving a queue; running jobs continue' },
    'cancel_consumer',
    queueOf,
    serves,
  ),
  'control concurrency': telling(
    { takes: '<n>', words: [1, 1], describe: 'set how many jobs each thread runs at a time' },
    'concurrency',
    perThreadOf,
    ({ concurrency, limit }: { concurrency: number; limit: number }) =>
      `${count(concurrency, 'job')} a thread, ${limit} in all`,
  ),
  'control revoke': revokeCommand,
  'control purge': purgeCommand,
  'control terminate': {
    takes: '<id>',
    words: [1, 1],
    describe:
      'end the thread of a running job; all jobs on it run again without being charged an attempt',
    options: {
      revoke: { kind: 'flag', describe: 'also revoke the job' },
      ...ASK_OPTIONS,
    },
    run: terminate,
  },
  'control shutdown': telling(
    {
      describe: 'shut workers down gracefully: running jobs may finish within the grace period',
      options: { cold: { kind: 'flag', describe: 'give running jobs back to the queue at once' } },
      examples: { 'control shutdown --worker 3f2a': 'ends one worker' },
    },
    'shutdown',
    (input) => ({ kind: input.has('cold') ? 'cold' : 'warm' }),
    ({ kind }: { kind: string }) => `shuts down, ${kind}`,
  ),
};
