/**
 * One round of a worker, as `step` takes and answers it.
 */

/** What a worker tells and asks. Lists are flat, as the script takes them. */
export interface StepCall {
  worker: string;
  seq: number;
  /** Jobs it could start now. */
  free: number;
  /** Jobs it knows it holds, those settled here not counted. */
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
  /** When the next delayed job is due; undefined when there is none. */
  nextDueMs: number | undefined;
  /** More jobs may be waiting than were asked for. */
  more: boolean;
  /** Settled jobs this worker no longer leased. */
  lost: string[];
  claimed: Leased[];
}

/** A job leased to a worker, as Redis holds it. */
export interface Leased {
  id: string;
  record: string;
  counts: string;
}

/** What the script returns. The list of counts is empty when no job has any. */
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

/** Groups of id, record, counts and whether it is leased; only those that are. */
export function decodeLeased(flat: readonly (string | number)[]): Leased[] {
  const leased: Leased[] = [];
  for (let i = 0; i < flat.length; i += 4) {
    const [id = '', record = '', counts = '', isLeased] = flat.slice(i, i + 4);
    if (isLeased === 1)
      leased.push({ id: String(id), record: String(record), counts: String(counts) });
  }
  return leased;
}
