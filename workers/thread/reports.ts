/**
 * What an attempt tells the main thread while it runs: log lines, progress, extensions of its limits. All of it is bounded, as the main
 * thread renews the leases of every job: too many lines are dropped and counted, progress is told at most ten times a second.
 */
import { plainCopy } from '../../base/telemetry/plain-copy.ts';
import { textOf } from '../../base/thrown.ts';
import type { FromThread } from '../protocol.ts';

/** Log lines, and extensions, that an attempt may tell at once, and how many more every second. */
const LINES = { burst: 100, perSecond: 10 };
/** Longest log line, with its fields, in characters. */
export const MAX_LINE_LENGTH = 8192;
/** Longest message of a log line and longest note, in characters. */
const MAX_MESSAGE_LENGTH = 1000;
/** Least time between two values of progress, or two late extensions, in milliseconds. */
const PAUSE_MS = 100;

type Progress = Extract<FromThread, { type: 'progress' }>;

export class Reports {
  readonly #id: string;
  /** Name of the task, as log lines tell it. */
  task: string;
  readonly #tell: (message: FromThread) => void;
  #lines: Allowance | undefined;
  #extensions: Allowance | undefined;
  #dropped = 0;
  #progress: Progress | undefined;
  #toldMs = -Infinity;
  #extendedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor({ id, task }: { id: string; task: string }, tell: (message: FromThread) => void) {
    this.#id = id;
    this.task = task;
    this.#tell = tell;
  }

  log(message: unknown, fields: unknown): void {
    this.#lines ??= new Allowance();
    if (!this.#lines.take()) {
      this.#dropped++;
      return;
    }
    const text = textOf(message).slice(0, MAX_MESSAGE_LENGTH);
    this.#log(text, recordOf(plainCopy(fields, MAX_LINE_LENGTH - text.length)));
  }

  /** Ignores what is no number, and takes the nearest from 0 to 1. */
  progress(value: unknown, note: unknown): void {
    if (typeof value !== 'number' || Number.isNaN(value) || this.#hasEnded) return;
    this.#progress = {
      type: 'progress',
      id: this.#id,
      value: Math.min(Math.max(value, 0), 1),
      note: note === undefined || note === null ? null : textOf(note).slice(0, MAX_MESSAGE_LENGTH),
    };
    if (performance.now() - this.#toldMs >= PAUSE_MS) this.#flush();
    else this.#wait();
  }

  /** At once, as the task may block its thread next; later only when there are very many. */
  extend(ms: number): void {
    this.#extendedMs += ms;
    this.#extensions ??= new Allowance();
    if (this.#extensions.take()) this.#flushExtension();
    else this.#wait();
  }

  /** Tells the newest progress, and how many log lines were dropped. */
  end(): void {
    this.#flush();
    this.#hasEnded = true;
    if (this.#dropped > 0) {
      this.#log('Too many log lines: some were dropped.', { dropped: this.#dropped });
    }
  }

  #wait(): void {
    if (!this.#hasEnded) this.#timer ??= setTimeout(() => this.#flush(), PAUSE_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushExtension();
    if (this.#progress === undefined) return;
    this.#tell(this.#progress);
    this.#progress = undefined;
    this.#toldMs = performance.now();
  }

  #flushExtension(): void {
    if (this.#extendedMs === 0) return;
    this.#tell({ type: 'extended', id: this.#id, ms: this.#extendedMs });
    this.#extendedMs = 0;
  }

  #log(message: string, fields: Record<string, unknown>): void {
    this.#tell({ type: 'log', id: this.#id, task: this.task, message, fields });
  }
}

/** Grants `LINES`. */
export class Allowance {
  #left = LINES.burst;
  /** When it was used up, or last grew. */
  #sinceMs = 0;

  take(): boolean {
    if (this.#left < 1) {
      const nowMs = performance.now();
      const grown = ((nowMs - this.#sinceMs) / 1000) * LINES.perSecond;
      if (grown < 1) return false;
      this.#left = Math.min(grown, LINES.burst);
      this.#sinceMs = nowMs;
    }
    this.#left--;
    // The clock is read only by those that use up the burst.
    if (this.#left < 1 && this.#sinceMs === 0) this.#sinceMs = performance.now();
    return true;
  }
}

function recordOf(copy: unknown): Record<string, unknown> {
  if (copy === undefined || copy === null) return {};
  const isRecord = typeof copy === 'object' && !Array.isArray(copy);
  return isRecord ? (copy as Record<string, unknown>) : { value: copy };
}
