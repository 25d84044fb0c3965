/** Bounds the backlog of overdue tasks: beyond the limit the API refuses more, for instance after a long Redis outage. */
import { Gauge, type Registry } from 'prom-client';
import { measureBacklog, type BacklogSize } from '../../db/tasks/backlog.ts';
import type { Queryable } from '../../db/stores/postgres.ts';
import { AppError } from '../../base/errors.ts';
import { Loop } from '../../base/service.ts';

/** Measuring interval, in milliseconds: tasks accepted in between may exceed the limit. */
const LOOK_MS = 1000;
const RETRY_AFTER_SECONDS = 10;

export interface BacklogLimits {
  /** Overdue tasks. */
  tasks: number;
  /** Longest time a task may be overdue, in milliseconds. */
  ageMs: number;
}

export class Backlog extends Loop {
  readonly #limits: BacklogLimits;
  #size: BacklogSize = { tasks: 0, ageMs: 0 };

  /** @param onError called when measuring fails; the last measurement stays valid. */
  constructor(db: Queryable, limits: BacklogLimits, onError: (error: unknown) => void) {
    super({
      name: 'backlog',
      onError,
      maxErrorDelayMs: LOOK_MS,
      tick: async () => {
        this.#size = await measureBacklog(db, limits.tasks);
        return LOOK_MS;
      },
    });
    this.#limits = limits;
  }

  get size(): BacklogSize {
    return this.#size;
  }

  get isFull(): boolean {
    const { tasks, ageMs } = this.#size;
    return tasks >= this.#limits.tasks || ageMs >= this.#limits.ageMs;
  }

  register(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      const collect = (): void => made.set(read());
      const made = new Gauge({ name, help, registers: [registry], collect });
    };
    gauge('daodao_backlog_tasks', 'Overdue tasks: due but not started.', () => this.#size.tasks);
    gauge(
      'daodao_backlog_age_seconds',
      'How long the oldest of them has been overdue.',
      () => this.#size.ageMs / 1000,
    );
  }

  /** @throws {AppError} `BACKLOG_FULL` */
  assertRoom(): void {
    if (this.isFull) throw new AppError('BACKLOG_FULL', { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}
