/**
 * The settings of the queue and of those who work on it: part of the table in index.ts.
 */
export const QUEUE_SETTINGS = {
  QUEUE_PREFIX: {
    kind: 'text',
    default: 'daodao',
    describe: 'First part of every queue and cache key in Redis.',
  },
  QUEUE_SHARDS: {
    kind: 'integer',
    default: '1',
    min: 1,
    max: 256,
    describe: 'Shards of the queue; fixed once jobs exist.',
  },
  BACKLOG_MAX_ROWS: {
    kind: 'integer',
    default: '100000',
    min: 1,
    max: 10_000_000,
    describe:
      'Accepted tasks that are due and have not begun, from which on the API accepts no more.',
  },
  BACKLOG_MAX_AGE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '3600000',
    min: 1000,
    max: 31_536_000_000,
    describe: 'How long such a task may have been due until the API accepts no more.',
  },
  TASK_RETENTION_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '2592000000',
    min: 60_000,
    max: 31_536_000_000_000,
    describe: 'How long Postgres keeps finished tasks with their results.',
  },
  RESULT_TTL_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '86400000',
    min: 1000,
    max: 31_536_000_000,
    describe: 'How long Redis keeps finished jobs and results of tasks that are not durable.',
  },
  LEASE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '15000',
    min: 200,
    max: 3_600_000,
    describe: 'How long a worker may be silent before its jobs go to others.',
  },
  WORKER_QUEUES: {
    kind: 'list',
    default: 'ai_tasks,default',
    describe: 'Queues a worker serves, comma-separated.',
  },
  WORKER_THREADS: {
    kind: 'integer',
    default: '2',
    min: 1,
    max: 64,
    describe: 'Threads of a worker.',
  },
  WORKER_CONCURRENCY: {
    kind: 'integer',
    default: '16',
    min: 1,
    max: 1000,
    describe: 'Jobs one thread runs at a time.',
  },
  // What leaks beside the heap, such as timers and listeners, goes with its thread. A start takes about a
  // second of a processor, which 100,000 jobs pay with 10 µs each.
  WORKER_MAX_JOBS_PER_THREAD: {
    kind: 'integer',
    default: '100000',
    min: 0,
    max: 1_000_000_000,
    describe: 'Jobs after which a thread is replaced by a fresh one; 0 for never.',
  },
  // An idle thread has 20 MB, and at 256 MB it is ended with everything on it.
  WORKER_MAX_HEAP_MB: {
    kind: 'integer',
    unit: 'MB',
    default: '192',
    min: 48,
    max: 255,
    describe: 'Heap and buffers above which a thread takes no more jobs and is replaced.',
  },
  WORKER_FREEZE_BUILTINS: {
    kind: 'choice',
    default: 'off',
    values: ['on', 'off'],
    describe:
      'Whether tasks are kept from changing built-in objects such as JSON and Array for others on their thread. Packages that patch those, as tracing does, need it off.',
  },
  SHUTDOWN_GRACE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '25000',
    min: 0,
    max: 3_600_000,
    describe:
      'How long running jobs may go on after SIGTERM before they are released; a second signal releases them at once.',
  },
} as const;
