/**
 * How many jobs the lanes of one worker may hold together. Each has a share, rounded up: a slot that is left over would stay
 * empty, and a shard nobody takes from would stand still. So shares add up to more than the whole, and lanes hold more than
 * theirs for a while after the limit went down: then the whole decides.
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
  /** Those that would have taken more than there was room for. */
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

  /** The most jobs each may hold. */
  get share(): number {
    return Math.max(1, Math.ceil(this.limit / this.#sharers.length));
  }

  /** How many of the jobs that somebody wants may be taken; who gets fewer is told when there is room again. */
  grant(sharer: Sharer, wanted: number): number {
    const room = Math.max(0, Math.min(wanted, this.limit - this.size));
    if (room < wanted) this.#short.add(sharer);
    else this.#short.delete(sharer);
    return room;
  }

  /** A job is held no longer. */
  freed(): void {
    if (this.#short.size === 0 || this.size >= this.limit) return;
    const short = [...this.#short];
    this.#short.clear();
    for (const sharer of short) sharer.round();
  }
}
