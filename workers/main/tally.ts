/**
 * How the jobs of a worker ended since it started, counted from its events.
 */
import type { EventName, Telemetry } from '../../base/telemetry/telemetry.ts';

const OUTCOMES = {
  'job.succeeded': 'succeeded',
  'job.retrying': 'retrying',
  'job.failed': 'failed',
  'job.released': 'released',
  'job.lease_lost': 'lost',
  'job.revoked': 'revoked',
} as const satisfies Partial<Record<EventName, string>>;

type Outcome = (typeof OUTCOMES)[keyof typeof OUTCOMES];

const isOutcome = (event: EventName): event is keyof typeof OUTCOMES =>
  Object.hasOwn(OUTCOMES, event);

export class Tally {
  readonly #counts: Record<Outcome, number> = {
    succeeded: 0,
    retrying: 0,
    failed: 0,
    released: 0,
    lost: 0,
    revoked: 0,
  };

  constructor(telemetry: Telemetry) {
    telemetry.on((event) => {
      if (isOutcome(event)) this.#counts[OUTCOMES[event]]++;
    });
  }

  get counts(): Record<Outcome, number> {
    return { ...this.#counts };
  }
}
