/**
 * Sends the rounds of `step` for one lane, and resends a round whose answer was lost.
 * Requests during a round join the next one. Under pressure a second round is sent before the first is answered, so that Redis
 * and this process work at the same time; sequence numbers tell them apart. No round runs so far ahead of an unanswered one
 * that the script would have dropped that one's answer.
 */
import { QueueError } from '../broker/errors.ts';
import type { StepCall, StepReply } from '../broker/step.ts';

const MAX_IN_FLIGHT = 2;
/** Answers the script keeps: a number this far behind the newest one is `STALE`. */
const REMEMBERED = 4;

export interface RoundsOptions {
  /** Sends a round, and may retry it with the same number while it is wanted. */
  send(call: StepCall, isWanted: () => boolean): Promise<StepReply>;
  compose(seq: number): StepCall;
  /** Whether the next call justifies a second round in flight. */
  isPressed(): boolean;
  answered(call: StepCall, reply: StepReply): void;
  /** A round got no answer and is kept. If the worker is unknown, all rounds are dropped. */
  failed(error: unknown): void;
  /** A round will never get an answer, so the lane cannot know whether it was executed. */
  abandoned(call: StepCall): void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  #seq = 0;
  #inFlight = 0;
  /** The calls in flight, except for those that `forget` dropped. */
  readonly #sent = new Set<StepCall>();
  #asked = 0;
  #wanted = false;
  #scheduled = false;
  /** Calls that may have been executed, kept because only the same number gets the same answer. */
  #unanswered: StepCall[] = [];
  /** Sequence numbers without an answer yet, oldest first. */
  readonly #owed = new Set<number>();
  #exclusive: (() => Promise<void>) | undefined;
  #idle: (() => void)[] = [];

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Jobs that the rounds in flight ask for. */
  get asked(): number {
    return this.#asked;
  }

  /** Requests a round. Requests in one turn of the microtask queue share it. */
  want(): void {
    this.#wanted = true;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** Runs `work` once no answer is owed, so that all ends are known. @returns false if it fails, or one is owed after a retry. */
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

  /** Requests a round and resolves when no round is in flight: each was answered, or failed and is kept. */
  async flush(): Promise<void> {
    this.want();
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Drops all rounds of a reaped worker: it may lease the same jobs again, and old settlements must not end them. */
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
      // `#exclusive` stays set until the work is done, so that no round is sent meanwhile.
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
