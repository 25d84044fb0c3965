/** Arguments and reply of `step`, one round of a worker. Lists of arguments are flat, as the script takes them. */

export interface StepCall {
  worker: string;
  seq: number;
  /** Jobs the worker could start now. */
  free: number;
  /** Jobs the worker knows it holds, without those that this call settles. */
  known: number;
  queues: readonly string[];
  /** id, result record */
  succeeded: readonly string[];
  /** id, delay ms, counts */
  back: readonly (string | number)[];
  /** id, reason */
  failed: readonly string[];
}

export interface StepReply {
  nowMs: number;
  nextDueMs: number | undefined;
  /** More jobs may be waiting than the worker asked for. */
  more: boolean;
  /** Jobs of this call that the worker no longer leased, so they were not settled. */
  lost: string[];
  claimed: Leased[];
}

export interface Leased {
  id: string;
  record: string;
  counts: string;
}

/** The list of counts is empty when no job has any. */
export type RawStepReply = [
  nowMs: number,
  nextDueMs: number,
  more: number,
  lost: string[],
  ids: string[],
  records: string[],
  counts: string[],
];

export function encodeStep(call: StepCall): (string | number)[] {
  const { worker, seq, free, known, queues, succeeded, back, failed } = call;
  return [
    worker,
    seq,
    free,
    known,
    queues.length,
    ...queues,
    succeeded.length / 2,
    ...succeeded,
    back.length / 3,
    ...back,
    failed.length / 2,
    ...failed,
  ];
}

export function decodeStep(reply: RawStepReply): StepReply {
  const [nowMs, nextDueMs, more, lost, ids, records, counts] = reply;
  return {
    nowMs,
    nextDueMs: nextDueMs < 0 ? undefined : nextDueMs,
    more: more === 1,
    lost,
    claimed: ids.map((id, i) => ({ id, record: records[i]!, counts: counts[i] ?? '' })),
  };
}

/** @param flat groups of id, record, counts and 1 if the worker leases the job; others are left out. */
export function decodeLeased(flat: readonly (string | number)[]): Leased[] {
  const leased: Leased[] = [];
  for (let i = 0; i < flat.length; i += 4) {
    const [id = '', record = '', counts = '', isLeased] = flat.slice(i, i + 4);
    if (isLeased === 1)
      leased.push({ id: String(id), record: String(record), counts: String(counts) });
  }
  return leased;
}
