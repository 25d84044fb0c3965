/** One stream of typed events; the log and the metrics are its subscribers. Emit once, never log beside it. */
import { pino, type Logger } from 'pino';
import { guard } from './guard.ts';
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
  'graph.accepted': 'debug',
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
  'reconciler.set_aside': 'error',
  'tasks.pruned': 'info',
  'events.forwarded': 'debug',
  'events.refused': 'error',
  'schedule.fired': 'info',
  'schedule.skipped': 'warn',
  'schedule.missed': 'warn',
  'schedule.rewound': 'warn',
  'schedule.edited': 'info',
  'loop.failed': 'error',
  'listener.failed': 'error',
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
  'graph.accepted': { graphId: string; outcome: 'created' | 'repeated' | 'unfinished' };
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
  /** The row of an unfinished task cannot be dispatched, so the task has ended as failed. */
  'reconciler.set_aside': { taskId: string; error: unknown };
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
  /** A subscriber of the events failed; the others have heard of `event`. */
  'listener.failed': { listenedTo: EventName; error: unknown };
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

  /** Never throws: the failure of a listener is an event too. */
  emit<E extends EventName>(event: E, fields: Events[E]): void {
    const failed = (error: unknown): void => {
      if (event === 'listener.failed') throw error;
      this.emit('listener.failed', { listenedTo: event, error });
    };
    for (const listener of this.#listeners) guard(() => listener(event, fields), failed);
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
