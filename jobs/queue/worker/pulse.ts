/**
 * How long the heartbeats of this process on one shard have been answered without a gap.
 */
export class Pulse {
  readonly #leaseMs: number;
  #healthySinceMs = Infinity;
  #lastBeatMs = -Infinity;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** A heartbeat was answered. @param nowMs monotonic milliseconds, here and below. */
  beat(nowMs: number): void {
    if (this.#hasGap(nowMs)) this.miss();
    this.#lastBeatMs = nowMs;
    this.#healthySinceMs = Math.min(this.#healthySinceMs, nowMs);
  }

  /** Something on this shard failed. */
  miss(): void {
    this.#healthySinceMs = Infinity;
  }

  /** Milliseconds since which all is well; 0 when it is not. */
  healthyMs(nowMs: number): number {
    return this.#hasGap(nowMs) ? 0 : Math.max(0, nowMs - this.#healthySinceMs);
  }

  /** A gap of a whole lease may be our own, asleep or frozen: then others had no chance to be heard either. */
  #hasGap(nowMs: number): boolean {
    return nowMs - this.#lastBeatMs > this.#leaseMs;
  }
}
