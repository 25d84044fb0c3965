/**
 * What passes the gates while one job lives: every unit of its life gets a label, and at one of them a fault may strike.
 */
import type { Passage, Role, Store, Verdict } from './passage.ts';
import type { Request } from './framers/framer.ts';
import { jobsInReply, stringsOf } from './framers/resp.ts';

/** Where a job shows itself: in a request, or only in what was answered. */
export type Place = 'request' | 'reply';

export interface Unit {
  /** `role/store:name#count`. */
  label: string;
  role: Role;
  store: Store;
  place: Place;
  mutates: boolean;
  /** Of the process that the unit passed. */
  pid: number;
  atMs: number;
}

/** A unit at which a fault strikes, held. */
export interface Strike {
  unit: Unit;
  passage: Passage;
}

export interface Target {
  fits(unit: Unit): boolean;
  /** Whether the request is held, or its reply. */
  place: Place;
  /** Called once. */
  strike(strike: Strike): void;
}

/** Takes a request that is no unit of the job out of the way of things; undefined for any other. */
export type Interceptor = (
  passer: Passer,
  store: Store,
  request: Request,
) => ((passage: Passage) => void) | undefined;

/** Where a unit passes. */
export interface Passer {
  role: Role;
  pid: number;
  /** One that waits for its turn has no part in the job. */
  inService: boolean;
}

/** Only these ask for work to be done; others look. */
const ASKING = 'POST';

/** In the statements by which an API measures its backlog and the outbox every second or two, whatever is asked of it. */
const MEASURING = ['AS due_at', 'LIMIT $1) unsent'];

export class Watch {
  readonly units: Unit[] = [];
  /** Ids of the jobs that came of the practice. */
  readonly jobs = new Set<string>();
  /** Deliveries of its jobs to workers that said that a death was charged to it. */
  readonly deaths: string[] = [];
  /** Where faults are still to strike. */
  readonly targets: Target[];
  intercept: Interceptor | undefined;
  readonly #subject: string;
  readonly #gaveBack: (jobs: readonly string[]) => void;
  readonly #counts = new Map<string, number>();
  readonly #labels = new WeakMap<Request, Unit>();
  readonly startedMs = performance.now();

  /**
   * @param subject external id of the practice.
   * @param gaveBack told when a worker has given one of its jobs back.
   */
  constructor(
    subject: string,
    targets: readonly Target[],
    gaveBack: (jobs: readonly string[]) => void,
  ) {
    this.#subject = subject;
    this.targets = [...targets];
    this.#gaveBack = gaveBack;
  }

  request(passer: Passer, store: Store, request: Request): Verdict {
    const concerns = this.#concerns(passer, store, request);
    const intercepted = this.intercept?.(passer, store, request);
    if (intercepted !== undefined) return intercepted;
    const usual = this.#mayShowInReply(passer, store) ? 'watch' : 'pass';
    if (!concerns) return usual;
    const unit = this.note(passer, store, request.name ?? '', 'request', request.mutates);
    this.#labels.set(request, unit);
    const target = this.#targetOf(unit);
    if (target === undefined) return usual;
    return target.place === 'reply' ? 'watch' : (passage) => this.strike(unit, passage);
  }

  reply(passer: Passer, store: Store, request: Request, reply: Buffer): Verdict {
    const known = this.#labels.get(request);
    if (known !== undefined) {
      if (request.name?.includes('back')) setImmediate(() => this.#gaveBack([...this.jobs]));
      const strikes = this.#targetOf(known)?.place === 'reply';
      return strikes ? (passage) => this.strike(known, passage) : 'pass';
    }
    // Whoever waits for ends of jobs reads of all of them.
    const mayShow = this.#mayShowInReply(passer, store) && request.name !== 'XREAD';
    if (!mayShow || !this.#isInReply(store, reply)) return 'pass';
    const name = request.nameOf?.(reply) ?? `${request.name}(job)`;
    const unit = this.note(passer, store, name, 'reply', request.mutates);
    return this.#targetOf(unit) ? (passage) => this.strike(unit, passage) : 'pass';
  }

  /** A fault strikes, if one is meant for this unit; otherwise it passes. */
  strike(unit: Unit, passage: Passage): void {
    const target = this.#targetOf(unit);
    if (target === undefined) return passage.pass();
    this.targets.splice(this.targets.indexOf(target), 1);
    target.strike({ unit, passage });
  }

  /** A job is handed over, claimed or found due by an answer. */
  #mayShowInReply({ role }: Passer, store: Store): boolean {
    return store === 'redis' || (store === 'pg' && role === 'scheduler');
  }

  #concerns(
    passer: Passer,
    store: Store,
    { bytes, name, text = '', jobsBeside }: Request,
  ): boolean {
    // A thread tells progress at most ten times a second: how often it does is up to the clock.
    if (store === 'redis' && name === 'progress') return false;
    const isOwn = passer.role !== 'scheduler' && passer.inService;
    if (store === 'llm') return isOwn && name === ASKING;
    if (store === 'pg' && isOwn) return !MEASURING.some((part) => text.includes(part));
    if (bytes.includes(this.#subject)) {
      for (const id of jobsBeside(this.#subject)) this.jobs.add(id);
      return true;
    }
    return [...this.jobs].some((id) => bytes.includes(id));
  }

  #isInReply(store: Store, reply: Buffer): boolean {
    if (reply.includes(this.#subject)) {
      if (store !== 'redis') return true;
      for (const id of jobsInReply(reply, this.#subject)) this.jobs.add(id);
      this.#noteDeaths(reply);
      return true;
    }
    return [...this.jobs].some((id) => reply.includes(id));
  }

  /** Counts stand behind the id of a handed job, or as a value of their own. */
  #noteDeaths(reply: Buffer): void {
    for (const text of stringsOf(reply)) {
      const counts = /^(?:j.{36})?(\d+:[1-9]\d*:[rs]?)(?:\n|$)/.exec(text)?.[1];
      if (counts !== undefined) this.deaths.push(counts);
    }
  }

  /** Gives a unit its label. */
  note({ role, pid }: Passer, store: Store, name: string, place: Place, mutates: boolean): Unit {
    const kind = `${role}/${store}:${name}`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const atMs = performance.now() - this.startedMs;
    const unit = { label: `${kind}#${count}`, role, store, place, mutates, pid, atMs };
    this.units.push(unit);
    return unit;
  }

  #targetOf(unit: Unit): Target | undefined {
    return this.targets.find((target) => target.fits(unit));
  }
}
