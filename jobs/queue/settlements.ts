/**
 * What a lane has yet to tell Redis about jobs that ended, in the flat lists `step` takes.
 */
import type { StepCall } from './step.ts';
import {
  encodeCounts,
  encodeReason,
  encodeResult,
  type Counts,
  type Job,
  type Reason,
} from './record.ts';

/** Most settlements of one kind in one round: larger rounds double what Redis pays per job. */
export const MAX_BATCH = 200;

/** How a delivery ended. */
export type Outcome =
  | { kind: 'succeeded'; result: string }
  /** Back in line, after `delayMs`; `counts` replaces what is charged so far. */
  | { kind: 'back'; delayMs: number; counts?: Counts }
  | { kind: 'failed'; reason: Reason };

type Batch = Pick<StepCall, 'succeeded' | 'back' | 'failed'>;

export class Settlements {
  #succeeded: string[] = [];
  #back: (string | number)[] = [];
  #failed: string[] = [];
  /** Told or yet to be told, not confirmed: a resync must not deliver them again. */
  readonly #unconfirmed = new Set<string>();

  /** Settlements no batch has taken yet. */
  get waiting(): number {
    return this.#succeeded.length / 2 + this.#back.length / 3 + this.#failed.length / 2;
  }

  has(id: string): boolean {
    return this.#unconfirmed.has(id);
  }

  add(job: Job, outcome: Outcome): void {
    const { id } = job;
    this.#unconfirmed.add(id);
    if (outcome.kind === 'succeeded') {
      this.#succeeded.push(id, encodeResult(job, outcome.result, Date.now()));
    } else if (outcome.kind === 'back') {
      const counts = outcome.counts === undefined ? '' : encodeCounts(outcome.counts);
      this.#back.push(id, outcome.delayMs, counts);
    } else {
      this.#failed.push(id, encodeReason(outcome.reason));
    }
  }

  /** A job whose record cannot be read ends as a dead letter. */
  addCorrupt(id: string): void {
    this.#unconfirmed.add(id);
    this.#failed.push(id, encodeReason({ code: 'RECORD_CORRUPT' }));
  }

  take(): Batch {
    return {
      succeeded: this.#succeeded.splice(0, 2 * MAX_BATCH),
      back: this.#back.splice(0, 3 * MAX_BATCH),
      failed: this.#failed.splice(0, 2 * MAX_BATCH),
    };
  }

  confirm({ succeeded, back, failed }: Batch): void {
    for (let i = 0; i < succeeded.length; i += 2) this.#unconfirmed.delete(succeeded[i]!);
    for (let i = 0; i < back.length; i += 3) this.#unconfirmed.delete(String(back[i]));
    for (let i = 0; i < failed.length; i += 2) this.#unconfirmed.delete(failed[i]!);
  }

  /** Forgets everything: once the worker was reaped, nothing is its own to settle. */
  clear(): void {
    this.#succeeded = [];
    this.#back = [];
    this.#failed = [];
    this.#unconfirmed.clear();
  }
}
