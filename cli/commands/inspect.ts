/** Read-only commands for workers, jobs, queues and tasks. */
import type { WorkerAnswer } from '../../jobs/queue/index.ts';
import type { HeldJob } from '../../workers/main/runs.ts';
import { answersOf, ask, ASK_OPTIONS, countServing, JSON_OPTION, troubles } from '../ask.ts';
import type { Command, Commands, Input } from '../command.ts';
import { showGraph } from './inspect-graph.ts';
import { showTask } from './inspect-task.ts';
import { withQueue, type QueueStores } from '../stores.ts';
import { seconds, show, table } from '../table.ts';

interface Stats {
  pid: number;
  hostname: string;
  uptimeSeconds: number;
  queues: string[];
  threads: number;
  concurrency: number;
  limit: number;
  held: number;
  ended: Record<string, number>;
  residentBytes: number;
}

interface RegisteredTask {
  name: string;
  queue: string;
  durable: boolean;
  priority: number;
  maxRetries: number;
  softTimeLimitMs: number | null;
  timeLimitMs: number;
}

const NO_WORKER = 'No worker is registered.';

/** A command that shows the answers of workers. Fails when a worker did not answer. */
function asking(
  describe: string,
  verb: string,
  lines: (said: readonly WorkerAnswer[]) => readonly string[],
): Command {
  return {
    describe,
    options: ASK_OPTIONS,
    run: (input) =>
      withQueue(async (stores) => {
        const said = await ask(stores, input, verb);
        show(input.has('json'), { workers: said }, () =>
          said.length === 0 ? [NO_WORKER] : [...lines(said), ...troubles(said)],
        );
        return said.every(({ kind }) => kind === 'answered') ? 0 : 1;
      }),
  };
}

const mb = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

async function showWorkers(stores: QueueStores, input: Input): Promise<number> {
  const said = await ask(stores, input, 'stats');
  const stats = new Map(answersOf<Stats>(said).map(({ worker, answer }) => [worker, answer]));
  const asked = new Set(said.map(({ worker }) => worker));
  const { workers: all } = await stores.inspector.overview();
  const workers = all
    .filter(({ id }) => asked.has(id))
    .map((facts) => ({ ...facts, stats: stats.get(facts.id) ?? null }));
  show(input.has('json'), { workers }, () => {
    if (workers.length === 0) return [NO_WORKER];
    const rows = workers.map(({ id, queues, held, leaseLeftMs, stats: own }) => [
      id,
      own?.hostname ?? '?',
      own?.pid ?? '?',
      queues.join(',') || '-',
      `${held}/${own?.limit ?? '?'}`,
      seconds(leaseLeftMs),
    ]);
    const names = ['WORKER', 'HOST', 'PID', 'QUEUES', 'HELD', 'LEASE LEFT'];
    return [...table(names, rows), ...troubles(said)];
  });
  return workers.every(({ stats: own }) => own !== null) ? 0 : 1;
}

/** Redis lists queues that had a job or are paused; this adds served queues without jobs. */
async function showQueues({ inspector }: QueueStores, input: Input): Promise<void> {
  const overview = await inspector.overview();
  const used = new Set(overview.queues.map(({ name }) => name));
  const served = new Set(overview.workers.flatMap(({ queues }) => queues));
  const unused = Array.from(served)
    .filter((name) => !used.has(name))
    .map((name) => ({ name, waiting: Array.from({ length: 10 }, () => 0), paused: false }));
  const queues = [...overview.queues, ...unused].toSorted((a, b) => a.name.localeCompare(b.name));
  show(input.has('json'), { ...overview, queues }, () => {
    const rows = queues.map(({ name, waiting, paused }) => [
      name,
      waiting.reduce((sum, some) => sum + some, 0),
      waiting.flatMap((some, priority) => (some > 0 ? [`${priority}:${some}`] : [])).join(' ') ||
        '-',
      paused ? 'paused' : 'open',
      countServing(overview, name),
    ]);
    const { delayed, failed, done } = overview;
    return [
      ...table(['QUEUE', 'WAITING', 'BY PRIORITY', 'STATE', 'WORKERS'], rows),
      `delayed ${delayed}   dead letters ${failed}   finished ${done}`,
    ];
  });
}

export const inspect: Commands = {
  'inspect workers': {
    describe: 'list workers: host, queues and jobs held',
    options: ASK_OPTIONS,
    run: (input) => withQueue((stores) => showWorkers(stores, input)),
  },
  'inspect active': asking('list running jobs', 'active', (said) => {
    const rows = answersOf<{ jobs: HeldJob[] }>(said).flatMap(({ worker, answer }) =>
      answer.jobs.map(({ id, task, queue, attempt, since }) => [
        id,
        task,
        queue,
        attempt,
        since === null ? 'waiting in its thread' : seconds(Date.now() - Date.parse(since)),
        worker.slice(0, 8),
      ]),
    );
    if (rows.length > 0) return table(['JOB', 'TASK', 'QUEUE', 'ATTEMPT', 'SINCE', 'WORKER'], rows);
    return [troubles(said).length > 0 ? 'No worker that answered runs a job.' : 'No job runs.'];
  }),
  'inspect queues': {
    describe: 'list queues: waiting jobs and workers',
    options: JSON_OPTION,
    run: (input) => withQueue((stores) => showQueues(stores, input)),
  },
  'inspect registered': asking('list the tasks the workers know', 'registered', (said) =>
    answersOf<RegisteredTask[]>(said).flatMap(({ worker, answer }) => [
      worker,
      ...table(
        ['  TASK', 'QUEUE', 'DURABLE', 'PRIORITY', 'RETRIES', 'SOFT LIMIT', 'HARD LIMIT'],
        answer.map((task) => [
          `  ${task.name}`,
          task.queue,
          task.durable ? 'yes' : 'no',
          task.priority,
          task.maxRetries,
          task.softTimeLimitMs === null ? '-' : seconds(task.softTimeLimitMs),
          seconds(task.timeLimitMs),
        ]),
      ),
    ]),
  ),
  'inspect stats': asking('show threads, memory and how jobs ended, by worker', 'stats', (said) =>
    answersOf<Stats>(said).flatMap(({ worker, answer: own }) => [
      worker,
      `  process ${own.pid} on ${own.hostname}, up ${own.uptimeSeconds} s, ${mb(own.residentBytes)}`,
      `  ${own.threads} threads of ${own.concurrency} jobs; holds ${own.held} of ${own.limit}`,
      `  ${Object.entries(own.ended)
        .map(([outcome, jobs]) => `${outcome} ${jobs}`)
        .join('   ')}`,
    ]),
  ),
  'inspect task': {
    takes: '<id>',
    words: [1, 1],
    describe: 'show one task, from Redis and Postgres',
    options: JSON_OPTION,
    run: (input) => withQueue((stores) => showTask(stores, input)),
  },
  'inspect graph': {
    takes: '<id>',
    words: [1, 1],
    describe: 'show the tasks of a composition, and what runs after what',
    options: JSON_OPTION,
    run: (input) => withQueue((stores) => showGraph(stores, input)),
  },
};
