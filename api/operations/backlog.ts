/**
 * The backlog of accepted tasks that no worker has begun is bounded: beyond that the API refuses more, for instance when Redis has been unavailable for long.
 */
import { Gauge, type Registry } from 'prom-client';
import { measureBacklog, type BacklogSize } from '../../db/tasks/backlog.ts';
import type { Queryable } from '../../db/stores/postgres.ts';
import { AppError } from '../../base/errors.ts';
import { Loop } from '../../base/service.ts';

/** How often it is measured, in milliseconds: what comes in between is accepted beyond the bound. */
const LOOK_MS = 1000;
const RETRY_AFTER_SECONDS = 10;

export interface BacklogLimits {
  /** Tasks that are due and have not begun. */
  tasks: number;
  /** How long the oldest of them may have been due, in milliseconds. */
  ageMs: number;
}

export class Backlog extends Loop {
  readonly #limits: BacklogLimits;
  #size: BacklogSize = { tasks: 0, ageMs: 0 };

  /** @param onError told when it could not be measured: then the last measure holds. */
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

  /** As it was measured last. */
  get size(): BacklogSize {
    return this.#size;
  }

  get isFull(): boolean {
    const { tasks, ageMs } = this.#size;
    return tasks >= this.#limits.tasks || ageMs >= this.#limits.ageMs;
  }

  /** Tells Prometheus. */
  register(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      const collect = (): void => made.set(read());
      const made = new Gauge({ name, help, registers: [registry], collect });
    };
    gauge('daodao_backlog_tasks', 'Tasks that are due and have not begun.', () => this.#size.tasks);
    gauge(
      'daodao_backlog_age_seconds',
      'How long the oldest of them has been due.',
      () => this.#size.ageMs / 1000,
    );
  }

  /** @throws {AppError} `BACKLOG_FULL` */
  assertRoom(): void {
    if (this.isFull) throw new AppError('BACKLOG_FULL', { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}
