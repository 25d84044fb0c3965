/** The settings of the queue and the workers, part of the table in index.ts. */
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
    describe: 'Number of overdue tasks at which the API stops accepting tasks.',
  },
  BACKLOG_MAX_AGE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '3600000',
    min: 1000,
    max: 31_536_000_000,
    describe: 'How long a task may be overdue before the API stops accepting tasks.',
  },
  TASK_RETENTION_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '2592000000',
    min: 60_000,
    max: 31_536_000_000_000,
    describe: 'How long Postgres keeps finished tasks and their results.',
  },
  RESULT_TTL_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '86400000',
    min: 1000,
    max: 31_536_000_000,
    describe: 'How long Redis keeps finished jobs and the results of non-durable tasks.',
  },
  DEAD_LETTER_TTL_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '2592000000',
    min: 600_000,
    max: 31_536_000_000,
    describe: 'How long Redis keeps dead letters.',
  },
  DEAD_LETTERS_MAX: {
    kind: 'integer',
    default: '10000',
    min: 1,
    max: 1_000_000,
    describe: 'Number of dead letters older than 10 minutes that Redis keeps per shard.',
  },
  UNCHARGED_FOR_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '86400000',
    min: 0,
    max: 31_536_000_000,
    describe:
      'How long a due attempt is retried without using up an attempt while a store is unavailable; afterwards each attempt counts.',
  },
  LEASE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '15000',
    min: 200,
    max: 3_600_000,
    describe: 'How long a worker may be silent before other workers take over its jobs.',
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
    describe: 'Threads per worker.',
  },
  WORKER_CONCURRENCY: {
    kind: 'integer',
    default: '16',
    min: 1,
    max: 1000,
    describe: 'Jobs each thread runs at a time.',
  },
  // Replacing a thread also frees leaks outside the heap, such as timers and listeners. Its successor takes about a
  // second of CPU to start, 10 µs per job over 100,000 jobs.
  WORKER_MAX_JOBS_PER_THREAD: {
    kind: 'integer',
    default: '100000',
    min: 0,
    max: 1_000_000_000,
    describe: 'Jobs after which a thread is replaced; 0: never.',
  },
  // An idle thread uses 20 MB; at 256 MB Node ends it with all its jobs.
  WORKER_MAX_HEAP_MB: {
    kind: 'integer',
    unit: 'MB',
    default: '192',
    min: 48,
    max: 255,
    describe: 'Size of heap and buffers above which a thread takes no more jobs and is replaced.',
  },
  WORKER_FREEZE_BUILTINS: {
    kind: 'choice',
    default: 'off',
    values: ['on', 'off'],
    describe:
      'Whether built-in objects such as JSON and Array are frozen, so that no task changes them for others on its thread. Packages that patch built-ins, such as tracing, require it off.',
  },
  SHUTDOWN_GRACE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '25000',
    min: 0,
    max: 3_600_000,
    describe:
      'How long running jobs may continue after SIGTERM before they are released; a second signal releases them at once.',
  },
} as const;
