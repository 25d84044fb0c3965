/** How long one shard has answered this worker's heartbeats without a gap. Times are monotonic milliseconds. */
export class HeartbeatHealth {
  readonly #leaseMs: number;
  #healthySinceMs = Infinity;
  #lastBeatMs = -Infinity;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  beat(nowMs: number): void {
    if (this.#hasGap(nowMs)) this.miss();
    this.#lastBeatMs = nowMs;
    this.#healthySinceMs = Math.min(this.#healthySinceMs, nowMs);
  }

  /** A call on this shard failed. */
  miss(): void {
    this.#healthySinceMs = Infinity;
  }

  /** @returns the time since the last failure or gap; 0 during a gap. */
  healthyMs(nowMs: number): number {
    return this.#hasGap(nowMs) ? 0 : Math.max(0, nowMs - this.#healthySinceMs);
  }

  /** A gap of a full lease may mean that the host was suspended, in which case no other worker could send heartbeats either. */
  #hasGap(nowMs: number): boolean {
    return nowMs - this.#lastBeatMs > this.#leaseMs;
  }
}
