/** The settlements that a lane has yet to send, in the flat lists `step` takes. */
import type { Leased, StepCall } from '../broker/step.ts';
import { QUEUE_ERRORS } from '../broker/errors.ts';
import {
  encodeReason,
  encodeResult,
  isLongerThan,
  MAX_RESULT_BYTES,
  type Job,
  type Reason,
} from '../broker/record.ts';
import { encodeCounts, type Counts } from '../broker/counts.ts';

/** Most settlements of one kind in one round; larger rounds double the cost to Redis per job. */
export const MAX_BATCH = 200;
/** Approximate limit on the results in one round, as the round has a deadline; a single result may exceed it. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

export type Settlement =
  /** `counts` is what was charged to the job, the attempt that ends it included. */
  | { kind: 'succeeded'; result: string; counts?: Counts }
  /** The job returns to its line after `delayMs`; `counts` replaces the failures charged so far. */
  | { kind: 'back'; delayMs: number; counts?: Counts }
  | { kind: 'failed'; reason: Reason; counts?: Counts };

type Batch = Pick<StepCall, 'succeeded' | 'back' | 'failed'>;

export class Settlements {
  #succeeded: string[] = [];
  #back: (string | number)[] = [];
  #failed: string[] = [];
  /** Ids without confirmation, sent or not: a resync must not deliver them again. */
  readonly #unconfirmed = new Set<string>();

  /** Settlements that `take` has not returned yet. */
  get waiting(): number {
    return this.#succeeded.length / 2 + this.#back.length / 3 + this.#failed.length / 2;
  }

  has(id: string): boolean {
    return this.#unconfirmed.has(id);
  }

  add(job: Job, settlement: Settlement): void {
    const { id } = job;
    this.#unconfirmed.add(id);
    if (settlement.kind === 'succeeded') {
      if (isLongerThan(settlement.result, MAX_RESULT_BYTES)) this.#fail(id, 'RESULT_TOO_LARGE');
      else {
        const { result, counts } = settlement;
        this.#succeeded.push(id, encodeResult(job, result, Date.now(), counts?.attempts));
      }
    } else if (settlement.kind === 'back') {
      const counts = settlement.counts === undefined ? '' : encodeCounts(settlement.counts);
      this.#back.push(id, settlement.delayMs, counts);
    } else {
      this.#failed.push(id, encodeReason(settlement.reason, settlement.counts));
    }
  }

  /**
   * A job with an unreadable record becomes a dead letter. One without a record, after Redis lost it, must not: that would
   * end an id which may be enqueued again. Its lease ends, as it is put back into no line.
   */
  addUnreadable({ id, record }: Leased): void {
    this.#unconfirmed.add(id);
    if (record === '') this.#back.push(id, 0, '');
    else this.#fail(id, 'RECORD_CORRUPT');
  }

  take(): Batch {
    return {
      succeeded: this.#succeeded.splice(0, 2 * this.#countResults()),
      back: this.#back.splice(0, 3 * MAX_BATCH),
      failed: this.#failed.splice(0, 2 * MAX_BATCH),
    };
  }

  confirm({ succeeded, back, failed }: Batch): void {
    for (let i = 0; i < succeeded.length; i += 2) this.#unconfirmed.delete(succeeded[i]!);
    for (let i = 0; i < back.length; i += 3) this.#unconfirmed.delete(String(back[i]));
    for (let i = 0; i < failed.length; i += 2) this.#unconfirmed.delete(failed[i]!);
  }

  #fail(id: string, code: keyof typeof QUEUE_ERRORS): void {
    this.#failed.push(id, encodeReason({ code, message: QUEUE_ERRORS[code] }));
  }

  #countResults(): number {
    const most = Math.min(MAX_BATCH, this.#succeeded.length / 2);
    let bytes = 0;
    for (let count = 0; count < most; count++) {
      bytes += Buffer.byteLength(this.#succeeded[2 * count + 1]!);
      if (bytes > MAX_BATCH_BYTES && count > 0) return count;
    }
    return most;
  }

  /** A reaped worker has no leases left to settle. */
  clear(): void {
    this.#succeeded = [];
    this.#back = [];
    this.#failed = [];
    this.#unconfirmed.clear();
  }
}
