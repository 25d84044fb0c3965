/**
 * Limits the jobs that the lanes of one worker hold together. Each lane's share is rounded up, so that no slot stays unused and
 * every shard is served. Shares may add up to more than the limit, and after the limit is lowered lanes exceed
 * theirs for a while, so `grant` also enforces the limit.
 */
export interface Sharer {
  /** Jobs held. */
  readonly size: number;
  /** Asks for jobs. */
  round(): void;
}

export class Capacity {
  limit: number;
  readonly #sharers: Sharer[] = [];
  /** Lanes that were granted fewer jobs than they wanted. */
  readonly #short = new Set<Sharer>();

  constructor(limit: number) {
    this.limit = limit;
  }

  join(sharer: Sharer): void {
    this.#sharers.push(sharer);
  }

  get size(): number {
    return this.#sharers.reduce((sum, { size }) => sum + size, 0);
  }

  get share(): number {
    return Math.max(1, Math.ceil(this.limit / this.#sharers.length));
  }

  /** @returns how many of the wanted jobs the lane may take. `freed` calls a lane that gets fewer. */
  grant(sharer: Sharer, wanted: number): number {
    const room = Math.max(0, Math.min(wanted, this.limit - this.size));
    if (room < wanted) this.#short.add(sharer);
    else this.#short.delete(sharer);
    return room;
  }

  /** A lane released a job. */
  freed(): void {
    if (this.#short.size === 0 || this.size >= this.limit) return;
    const short = [...this.#short];
    this.#short.clear();
    for (const sharer of short) sharer.round();
  }
}
