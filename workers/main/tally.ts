/** Counts job outcomes since the worker started. */
import type { EventName, Telemetry } from '../../base/telemetry/telemetry.ts';

const ENDS = {
  'job.succeeded': 'succeeded',
  'job.retrying': 'retrying',
  'job.failed': 'failed',
  'job.released': 'released',
  'job.lease_lost': 'lost',
  'job.revoked': 'revoked',
} as const satisfies Partial<Record<EventName, string>>;

type End = (typeof ENDS)[keyof typeof ENDS];

const isEnd = (event: EventName): event is keyof typeof ENDS => Object.hasOwn(ENDS, event);

export class Tally {
  readonly #counts: Record<End, number> = {
    succeeded: 0,
    retrying: 0,
    failed: 0,
    released: 0,
    lost: 0,
    revoked: 0,
  };

  constructor(telemetry: Telemetry) {
    telemetry.on((event) => {
      if (isEnd(event)) this.#counts[ENDS[event]]++;
    });
  }

  get counts(): Record<End, number> {
    return { ...this.#counts };
  }
}
