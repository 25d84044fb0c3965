/** What a player saw happen to each task, apart from what the database says. */

/** A run of a task's handler. */
export interface Run {
  epoch: number;
  /** What it took. */
  previous: unknown;
  /** When it began. */
  at: number;
}

/** An end that the database accepted. */
export interface End {
  kind: 'done' | 'error' | 'revoked';
  epoch: number;
  result: unknown;
  /** When it was asked for, and when that was answered. */
  at: number;
  until: number;
}

export interface TaskLog {
  runs: Run[];
  ends: End[];
  /** When it was reopened. */
  reopened: number[];
  /** Epochs whose end was refused. */
  refused: number[];
  /** Whether the answer to a start was lost. */
  isUnseen: boolean;
}

/** Times are numbers of a common count. */
export class Log {
  /** How often each event happened. */
  readonly counts: Record<string, number> = {};
  readonly violations: string[] = [];
  readonly #tasks = new Map<string, TaskLog>();
  #now = 0;

  now(): number {
    return ++this.#now;
  }

  of(id: string): TaskLog {
    let log = this.#tasks.get(id);
    if (log === undefined) {
      log = { runs: [], ends: [], reopened: [], refused: [], isUnseen: false };
      this.#tasks.set(id, log);
    }
    return log;
  }

  count(event: string, times = 1): void {
    if (times > 0) this.counts[event] = (this.counts[event] ?? 0) + times;
  }

  /** The end of a task that counts now; undefined if there is none. */
  endOf(id: string): End | undefined {
    const { ends, reopened } = this.of(id);
    const last = ends.at(-1);
    return last !== undefined && last.at > (reopened.at(-1) ?? 0) ? last : undefined;
  }

  /** Whether a task had an end at `time` that counted then. */
  hadEnded(id: string, time: number): boolean {
    const { ends, reopened } = this.of(id);
    return ends.some(
      (end) => end.at < time && !reopened.some((again) => end.at < again && again < time),
    );
  }

  /** What can be said of a task without knowing its graph. */
  problemsOf(id: string): string[] {
    const { runs, ends, reopened, refused, isUnseen } = this.of(id);
    const problems: string[] = [];
    const epochs = runs.map(({ epoch }) => epoch);
    if (new Set(epochs).size < epochs.length) problems.push('two runs have the same epoch');
    if (ends.length > reopened.length + 1) {
      problems.push(`ended ${ends.length} times, and was reopened ${reopened.length} times`);
    }
    const success = ends.find(({ kind }) => kind === 'done');
    if (success !== undefined) {
      if (epochs.some((epoch) => epoch > success.epoch)) problems.push('ran after its success');
      if (!epochs.includes(success.epoch)) problems.push('succeeded without a run');
    }
    for (const end of ends) {
      const again = reopened.find((time) => time > end.at) ?? Infinity;
      const isLate = runs.some(({ at }) => end.until < at && at < again);
      if (isLate) problems.push(`ran after its end: ${end.kind}`);
    }
    const last = Math.max(0, ...epochs, ...ends.map(({ epoch }) => epoch));
    const isEnded = (epoch: number) => ends.some((end) => end.epoch >= epoch);
    const lost = refused.filter((epoch) => epoch >= last && !isEnded(epoch));
    if (lost.length > 0 && !isUnseen) problems.push('an end of the current epoch was refused');
    return problems;
  }
}
