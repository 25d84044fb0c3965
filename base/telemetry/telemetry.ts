/** One stream of typed events; the log and the metrics are its subscribers. Emit once, never log beside it. */
import { pino, type Logger } from 'pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describeError, type DescribedError } from './describe-error.ts';

/** Log level by event. Success is debug, everything else info or above. */
const LEVELS = {
  'process.started': 'info',
  'process.stopping': 'info',
  'process.stopped': 'info',
  'process.abandoning': 'warn',
  'model.unreachable': 'warn',
  'http.request': 'debug',
  'http.error': 'error',
  'task.accepted': 'debug',
  'task.repeated': 'debug',
  'task.dispatch_deferred': 'warn',
  'job.succeeded': 'debug',
  'job.retrying': 'info',
  'job.failed': 'warn',
  'job.released': 'info',
  'job.lease_lost': 'warn',
  'job.revoked': 'info',
  'job.log': 'info',
  'worker.reaped': 'warn',
  'queue.repaired': 'error',
  'thread.died': 'error',
  'thread.stuck': 'error',
  'thread.replaced': 'info',
  'reconciler.dispatched': 'info',
  'reconciler.settled': 'info',
  'tasks.pruned': 'info',
  'events.forwarded': 'debug',
  'events.refused': 'error',
  'schedule.fired': 'info',
  'schedule.skipped': 'warn',
  'schedule.missed': 'warn',
  'schedule.rewound': 'warn',
  'schedule.edited': 'info',
  'loop.failed': 'error',
} as const;

export interface Events {
  'process.started': { role: string; pid: number };
  'process.stopping': { reason: string };
  'process.stopped': { durationMs: number };
  /** The process ends without waiting for running jobs, which go back to the queue. */
  'process.abandoning': { reason: string };
  'model.unreachable': { problem: string };
  'http.request': {
    requestId: string;
    method: string;
    route: string;
    status: number;
    durationMs: number;
  };
  'http.error': { requestId: string; method: string; route: string; error: unknown };
  'task.accepted': { taskId: string; task: string };
  /** A request was answered with an existing task. */
  'task.repeated': { taskId: string; task: string };
  'task.dispatch_deferred': { taskId: string; error: unknown };
  'job.succeeded': { jobId: string; task: string; attempt: number; durationMs: number };
  'job.retrying': {
    jobId: string;
    task: string;
    attempt: number;
    delayMs: number;
    code: string;
    reason: string;
    cause?: DescribedError | undefined;
  };
  'job.failed': {
    jobId: string;
    task: string;
    attempt: number;
    code: string;
    /** The owner of the task sees it. */
    reason: string;
    /** Only for the log. */
    cause?: DescribedError | undefined;
  };
  'job.released': { jobId: string; task: string; delayMs: number; reason: string };
  'job.lease_lost': { jobId: string; task: string };
  /** Revoked while running. */
  'job.revoked': { jobId: string; task: string };
  'job.log': { jobId: string; task: string; message: string; fields: Record<string, unknown> };
  'worker.reaped': { workerId: string; jobs: number };
  /** Jobs that Redis held in no place or in several. */
  'queue.repaired': { jobIds: string[] };
  'thread.died': { jobIds: string[]; reason: string };
  /** A thread did not end within `graceMs`, as a native call of its job does not return. */
  'thread.stuck': { graceMs: number };
  /** @property jobs number of jobs the thread had run. */
  'thread.replaced': { reason: string; jobs: number };
  'reconciler.dispatched': { jobs: number };
  'reconciler.settled': { taskId: string; status: string };
  /** @property rows deleted tasks, request keys, sent events and slots. */
  'tasks.pruned': { rows: number };
  'events.forwarded': { events: number };
  /** ClickHouse refused them; `refusal` in `ai.events_outbox` says why. */
  'events.refused': { events: number };
  /** @property slot due time, ISO 8601. */
  'schedule.fired': SlotFacts;
  /** The task of an earlier slot was still unfinished. */
  'schedule.skipped': SlotFacts;
  /** No scheduler ran for the slots since then. At most one run makes up for them all. */
  'schedule.missed': { schedule: string; since: string };
  /** The clock of Postgres was ahead by this much and has been corrected. */
  'schedule.rewound': { schedule: string; byMs: number };
  'schedule.edited': { schedule: string; by: string };
  'loop.failed': { loop: string; error: unknown };
}

interface SlotFacts {
  schedule: string;
  slot: string;
  taskId: string;
  latenessMs: number;
}

export type EventName = keyof Events;
export type Listener = <E extends EventName>(event: E, fields: Events[E]) => void;

/** Keys whose values are redacted, down to a depth of three. */
const SECRET_KEYS = [
  'password',
  'authorization',
  'cookie',
  'token',
  'apiKey',
  'secret',
  'payload',
  'connectionString',
];

export class Telemetry {
  readonly #listeners = new Set<Listener>();

  emit<E extends EventName>(event: E, fields: Events[E]): void {
    for (const listener of this.#listeners) listener(event, fields);
  }

  /** @returns a function that unsubscribes. */
  on(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export function logEvents(
  telemetry: Telemetry,
  level: LogLevel,
  destination = pino.destination(2),
): Logger {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: (error: unknown) => describeError(error) },
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[redacted]',
      },
    },
    destination,
  );
  telemetry.on((event, fields) => {
    const line: object = fields;
    logger[LEVELS[event]](line, event);
  });
  return logger;
}

/** One registry per process. */
export function countEvents(telemetry: Telemetry): Registry {
  const registry = new Registry();
  const registers = [registry];
  // Collected on scrape: incrementing a labelled counter costs a short job 5 % of its time.
  const counts = new Map<EventName, number>();
  new Counter({
    name: 'daodao_events_total',
    help: 'Events, by name.',
    labelNames: ['event'],
    registers,
    collect() {
      this.reset();
      for (const [event, count] of counts) this.inc({ event }, count);
    },
  });
  const jobSeconds = new Histogram({
    name: 'daodao_job_duration_seconds',
    help: 'Run time of succeeded jobs, by task.',
    labelNames: ['task'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120],
    registers,
  });
  const latenessSeconds = new Histogram({
    name: 'daodao_schedule_lateness_seconds',
    help: 'Delay between the due time of a slot and its firing, by schedule.',
    labelNames: ['schedule'],
    buckets: [0.01, 0.05, 0.2, 1, 5, 60, 600, 3600],
    registers,
  });
  const httpSeconds = new Histogram({
    name: 'daodao_http_duration_seconds',
    help: 'Time to answer, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1, 5, 30],
    registers,
  });
  new Gauge({
    name: 'daodao_resident_bytes',
    help: 'Resident memory of this process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  telemetry.on((event, fields) => {
    counts.set(event, (counts.get(event) ?? 0) + 1);
    if (event === 'job.succeeded') {
      const { task, durationMs } = fields as Events['job.succeeded'];
      jobSeconds.observe({ task }, durationMs / 1000);
    } else if (event === 'schedule.fired') {
      const { schedule, latenessMs } = fields as Events['schedule.fired'];
      latenessSeconds.observe({ schedule }, latenessMs / 1000);
    } else if (event === 'http.request') {
      const { route, method, status, durationMs } = fields as Events['http.request'];
      httpSeconds.observe({ route, method, status }, durationMs / 1000);
    }
  });
  return registry;
}
