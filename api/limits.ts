/**
 * What one account may ask for, and what all accounts may fill together. Every such limit is decided here, but for the quota of feedback,
 * which every caller keeps (jobs/feedback/call.ts); limits on the rate of HTTP requests belong here too.
 */
import type { ResolvedConfig } from '../base/config.ts';
import { AppError } from '../base/errors.ts';
import { Loop } from '../base/service.ts';

/** Finished tasks of each name, and idempotency keys, that are kept per person: no fewer than a quota may count. */
export const KEPT_PER_PERSON = 1000;

/**
 * Requests of one account that are under way at a time, or one with a large body: half of the connections to Postgres stay for others. Long
 * polls do not count.
 */
export const REQUESTS_PER_ACCOUNT = 4;

/** Measuring interval, in milliseconds: events accepted in between may exceed the limit. */
const LOOK_MS = 2000;
const RETRY_AFTER_SECONDS = 10;

type Settings = Pick<ResolvedConfig, 'eventsPerPerson' | 'eventsMaxUnsent'>;

export class Limits extends Loop {
  /** Events of one person in the outbox. */
  readonly eventsPerPerson: number;
  readonly #mostUnsent: number;
  #unsent = 0;

  /**
   * @param countUnsent counts the unsent events of everybody, up to `most`.
   * @param onError called when counting fails; the last count stays valid.
   */
  constructor(
    { eventsPerPerson, eventsMaxUnsent }: Settings,
    countUnsent: (most: number) => Promise<number>,
    onError: (error: unknown) => void,
  ) {
    super({
      name: 'limits',
      onError,
      maxErrorDelayMs: LOOK_MS,
      tick: async () => {
        this.#unsent = await countUnsent(eventsMaxUnsent);
        return LOOK_MS;
      },
    });
    this.eventsPerPerson = eventsPerPerson;
    this.#mostUnsent = eventsMaxUnsent;
  }

  /** @throws {AppError} `OUTBOX_FULL` */
  assertRoomForEvents(): void {
    if (this.#unsent < this.#mostUnsent) return;
    throw new AppError('OUTBOX_FULL', { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}
