/**
 * The rounds of `step` of one lane: when they are sent, and what happens to one whose answer was lost.
 *
 * What piles up while a round is on its way goes with the next one. Under pressure a second round is sent before the
 * first is answered, so that Redis and this process work at the same time; the numbers they carry keep them apart. None
 * runs so far ahead of one that is owed an answer that the script would no longer know that one.
 */
import { QueueError } from '../broker/errors.ts';
import type { StepCall, StepReply } from '../broker/step.ts';

/** Most rounds on their way. */
const MAX_IN_FLIGHT = 2;
/** Answers the script remembers: a number this far behind the newest one is `STALE`. */
const REMEMBERED = 4;

export interface RoundsOptions {
  /** Sends one; it may be sent again, with the same number, as long as it is wanted. */
  send(call: StepCall, isWanted: () => boolean): Promise<StepReply>;
  /** What there is to say now. */
  compose(seq: number): StepCall;
  /** Whether there is enough to say to send it beside a round on its way. */
  isPressed(): boolean;
  answered(call: StepCall, reply: StepReply): void;
  /** A round got no answer; it is kept. When the worker is unknown, all are dropped. */
  failed(error: unknown): void;
  /** A round will never get an answer: whether it was executed is not known. */
  abandoned(call: StepCall): void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  #seq = 0;
  #inFlight = 0;
  /** The calls on their way, but for those that count for nothing any more. */
  readonly #sent = new Set<StepCall>();
  #asked = 0;
  #wanted = false;
  #scheduled = false;
  /** Calls that may have been executed: only the same number gets the same answer. */
  #unanswered: StepCall[] = [];
  /** Numbers that are owed an answer, the oldest first. */
  readonly #owed = new Set<number>();
  #exclusive: (() => Promise<void>) | undefined;
  #idle: (() => void)[] = [];

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Jobs asked for by the rounds on their way. */
  get asked(): number {
    return this.#asked;
  }

  /** Asks for a round. Everything of one turn of the microtask queue goes together. */
  want(): void {
    this.#wanted = true;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /**
   * Runs `work` when no answer is owed: only then is it known what was settled.
   * @returns whether it was done; it is not when it fails, or when an answer is still owed after another try.
   */
  async alone(work: () => Promise<void>): Promise<boolean> {
    let isDone = false;
    this.#exclusive = async () => {
      await work();
      isDone = true;
    };
    await this.flush();
    this.#exclusive = undefined;
    return isDone;
  }

  /** Asks for a round, and resolves when no round is on its way: all are answered, or have failed and are kept. */
  async flush(): Promise<void> {
    this.want();
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** The worker was reaped: what was told of its jobs counts for nothing, and must not be told of the same jobs again. */
  forget(): void {
    this.#unanswered = [];
    this.#owed.clear();
    this.#sent.clear();
  }

  #pump(): void {
    while (this.#wanted && this.#maySend()) {
      const call = this.#unanswered.shift() ?? this.#composeNext();
      this.#wanted = this.#unanswered.length > 0;
      this.#send(call);
    }
    if (this.#inFlight > 0) return;
    if (this.#exclusive !== undefined && this.#unanswered.length === 0) {
      // It stands until it is done: no round may be sent beside it either.
      this.#run(this.#exclusive().finally(() => (this.#exclusive = undefined)));
    } else if (!this.#wanted) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  #composeNext(): StepCall {
    this.#owed.add(++this.#seq);
    return this.#options.compose(this.#seq);
  }

  #maySend(): boolean {
    if (this.#inFlight === 0) return this.#exclusive === undefined || this.#unanswered.length > 0;
    if (this.#inFlight >= MAX_IN_FLIGHT || this.#exclusive !== undefined) return false;
    if (this.#unanswered.length > 0) return true;
    const [oldest = Infinity] = this.#owed;
    return this.#seq + 1 - oldest < REMEMBERED && this.#options.isPressed();
  }

  #send(call: StepCall): void {
    this.#asked += call.free;
    this.#sent.add(call);
    const isWanted = (): boolean => this.#sent.has(call);
    const round = this.#options.send(call, isWanted).then(
      (reply) => {
        this.#asked -= call.free;
        this.#sent.delete(call);
        this.#owed.delete(call.seq);
        this.#options.answered(call, reply);
      },
      (error: unknown) => {
        this.#asked -= call.free;
        this.#keep(call, error instanceof QueueError ? error.code : undefined);
        throw error;
      },
    );
    this.#run(round);
  }

  #keep(call: StepCall, code: string | undefined): void {
    if (!this.#sent.delete(call)) return;
    if (code === 'WORKER_UNKNOWN') {
      this.forget();
    } else if (code === 'STALE') {
      this.#owed.delete(call.seq);
      this.#options.abandoned(call);
    } else {
      this.#unanswered.push(call);
    }
  }

  #run(work: Promise<void>): void {
    this.#inFlight++;
    void work
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#inFlight--;
        this.#pump();
      });
  }
}
