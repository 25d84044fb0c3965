/**
 * The lines of one shard and who gets what from them without asking. Where Redis may choose (which idle worker, the order
 * of a worker's jobs when all go back) the model takes over what it sees, once that is one of the choices.
 */
import assert from 'node:assert/strict';
import type { JobRequest } from '../../../jobs/queue/index.ts';
import { holderOf, type Snapshot } from './snapshot.ts';
import { short } from './scripts.ts';

/** What all shards share. */
export interface Setting {
  /** Time since the beginning, in whole minutes of milliseconds: as moved by hand, so that no run is too slow for it. */
  nowMs: number;
  readonly queues: readonly string[];
  readonly paused: Set<string>;
  /** Worker to its queues. */
  readonly serves: ReadonlyMap<string, readonly string[]>;
  /** What happened so far, by name. */
  readonly seen: Set<string>;
}

export class Lines {
  readonly jobs = new Map<string, JobRequest>();
  readonly lines = new Map<string, string[]>();
  readonly delayed = new Map<string, number>();
  readonly held = new Map<string, Set<string>>();
  readonly free = new Map<string, number>();
  /** Revoked ids that still stand in line. */
  readonly revoked = new Set<string>();
  /** The last state that was seen and found right. */
  last!: Snapshot;
  /** Workers that have been told to look for jobs. */
  told = new Set<string>();
  protected readonly setting: Setting;

  constructor(setting: Setting) {
    this.setting = setting;
  }

  heldBy(worker: string): Set<string> {
    return this.held.get(worker) ?? new Set();
  }

  line(id: string): string[] {
    return this.lineOf(this.#nameOf(id));
  }

  /** A job comes to its line: an idle worker takes it, if there is one. `claimed` ones were in line on their way. */
  place(id: string, end: 'head' | 'tail', now: Snapshot, claimed: readonly string[] = []): void {
    const holder = claimed.includes(id) ? undefined : holderOf(now, id);
    if (holder !== undefined) return this.#hand(id, holder, end);
    this.#assertNobodyFor(id);
    this.line(id)[end === 'head' ? 'unshift' : 'push'](id);
  }

  /** All a worker held goes back to the heads of its lines, in any order. */
  placeAll(ids: readonly string[], now: Snapshot): void {
    const kept = ids.filter((id) => {
      const holder = holderOf(now, id);
      if (holder !== undefined) this.#hand(id, holder, 'head');
      return holder === undefined;
    });
    for (const name of new Set(kept.map((id) => this.#nameOf(id)))) {
      const block = kept.filter((id) => this.#nameOf(id) === name);
      const head = (now.lines[name] ?? []).slice(0, block.length);
      same(head.toSorted(), block.toSorted(), 'what was given back stands at the head');
      this.lineOf(name).unshift(...head);
    }
    for (const id of kept) this.#assertNobodyFor(id);
  }

  /** What is due goes into line in the order of its due times. */
  promote(now: Snapshot, claimed: readonly string[] = []): void {
    const score = (id: string): number => this.last.delayed[id] ?? Infinity;
    const member = (id: string): string => `${this.jobs.get(id)!.priority}${id}`;
    const due = [...this.delayed.keys()]
      .filter((id) => this.delayed.get(id)! <= this.setting.nowMs)
      .toSorted((a, b) => score(a) - score(b) || (member(a) < member(b) ? -1 : 1));
    for (const id of due.slice(0, 100)) {
      this.delayed.delete(id);
      this.setting.seen.add('promoted');
      this.place(id, 'tail', now, claimed);
    }
  }

  /** Idle workers that serve a queue. */
  idle(queue: string): string[] {
    if (this.setting.paused.has(queue)) return [];
    const { serves } = this.setting;
    return [...this.free]
      .filter(([worker, free]) => free > 0 && serves.get(worker)!.includes(queue))
      .map(([worker]) => worker);
  }

  assertNobodyOverlooks(isTold: (worker: string) => boolean): void {
    for (const queue of this.setting.queues) {
      if (this.waits(queue).length === 0) continue;
      same(
        this.idle(queue).filter((worker) => !isTold(worker)),
        [],
        `${queue} is overlooked`,
      );
    }
  }

  /** Jobs that wait in a queue and may run, the first to go first. */
  protected waits(queue: string): string[] {
    const lines = Array.from({ length: 10 }, (_, i) => this.lineOf(`${queue}:${9 - i}`));
    return lines.flat().filter((id) => !this.revoked.has(id));
  }

  protected lineOf(name: string): string[] {
    if (!this.lines.has(name)) this.lines.set(name, []);
    return this.lines.get(name)!;
  }

  #nameOf(id: string): string {
    const { queue, priority } = this.jobs.get(id)!;
    return `${queue}:${priority}`;
  }

  #hand(id: string, worker: string, end: 'head' | 'tail'): void {
    const { queue, priority = 5 } = this.jobs.get(id)!;
    const free = this.free.get(worker) ?? 0;
    assert.ok(!this.setting.paused.has(queue), `${short(id)} was handed over from a paused queue`);
    assert.ok(this.setting.serves.get(worker)!.includes(queue), `${short(id)} of ${queue} strayed`);
    assert.ok(free > 0, `${short(id)} was handed to one that takes nothing`);
    const before = this.waits(queue).filter((other) => {
      const its = this.jobs.get(other)!.priority!;
      return its > priority || (its === priority && end === 'tail');
    });
    same(before, [], `${short(id)} was handed past others`);
    this.free.set(worker, free - 1);
    this.heldBy(worker).add(id);
    this.setting.seen.add('handed over');
  }

  #assertNobodyFor(id: string): void {
    const { queue } = this.jobs.get(id)!;
    same(this.idle(queue), [], `${short(id)} was put in line past an idle worker`);
  }
}

/** Equal, with names in place of ids where they differ. */
export function same(actual: unknown, expected: unknown, what: string): void {
  try {
    assert.deepEqual(actual, expected);
  } catch {
    const text = (value: unknown): string => JSON.stringify(short(value));
    assert.fail(`${what}:\n  is        ${text(actual)}\n  should be ${text(expected)}`);
  }
}
