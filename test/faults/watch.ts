/**
 * What passes the gates while one job lives: every unit of its life gets a label, and at one of them a fault may strike.
 */
import type { Passage, Role, Store, Verdict } from './gate.ts';
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
  label: string;
  /** Whether the request is held, or its reply. */
  place: Place;
  strike(strike: Strike): void;
}

/** Where a unit passes. */
export interface Passer {
  role: Role;
  pid: number;
  /** One that waits for its turn has no part in the job. */
  inService: boolean;
}

/** Only these ask for work to be done; others look. */
const ASKING = 'POST';

export class Watch {
  readonly units: Unit[] = [];
  /** Ids of the jobs that came of the practice. */
  readonly jobs = new Set<string>();
  /** Deliveries of its jobs to workers that said that a death was charged to it. */
  readonly deaths: string[] = [];
  readonly #subject: string;
  readonly #target: Target | undefined;
  readonly #gaveBack: (jobs: readonly string[]) => void;
  readonly #counts = new Map<string, number>();
  readonly #labels = new WeakMap<Request, Unit>();
  readonly startedMs = performance.now();
  hasStruck = false;

  /**
   * @param subject external id of the practice.
   * @param gaveBack told when a worker has given one of its jobs back.
   */
  constructor(
    subject: string,
    target: Target | undefined,
    gaveBack: (jobs: readonly string[]) => void,
  ) {
    this.#subject = subject;
    this.#target = target;
    this.#gaveBack = gaveBack;
  }

  request(passer: Passer, store: Store, request: Request): Verdict {
    const { name = '' } = request;
    if (!this.#concerns(passer, store, request)) return store === 'redis' ? 'watch' : 'pass';
    const unit = this.#note(passer, store, name, 'request', request.mutates);
    this.#labels.set(request, unit);
    if (!this.#isTarget(unit)) return store === 'redis' ? 'watch' : 'pass';
    if (this.#target?.place === 'reply') return 'watch';
    return (passage) => this.#strike(unit, passage);
  }

  reply(passer: Passer, store: Store, request: Request, reply: Buffer): Verdict {
    const known = this.#labels.get(request);
    if (known !== undefined) {
      if (request.name?.includes('back')) setImmediate(() => this.#gaveBack([...this.jobs]));
      const strikes = this.#isTarget(known) && this.#target?.place === 'reply';
      return strikes ? (passage) => this.#strike(known, passage) : 'pass';
    }
    // Whoever waits for ends of jobs reads of all of them.
    if (store !== 'redis' || request.name === 'XREAD' || !this.#isInReply(reply)) return 'pass';
    const name = request.nameOf?.(reply) ?? `${request.name}(job)`;
    const unit = this.#note(passer, store, name, 'reply', request.mutates);
    return this.#isTarget(unit) ? (passage) => this.#strike(unit, passage) : 'pass';
  }

  #concerns(passer: Passer, store: Store, { bytes, name, jobsBeside }: Request): boolean {
    const isOwn = passer.role !== 'scheduler' && passer.inService;
    if (store === 'llm') return isOwn && name === ASKING;
    if (store === 'pg' && isOwn) return true;
    if (bytes.includes(this.#subject)) {
      for (const id of jobsBeside(this.#subject)) this.jobs.add(id);
      return true;
    }
    return [...this.jobs].some((id) => bytes.includes(id));
  }

  #isInReply(reply: Buffer): boolean {
    if (reply.includes(this.#subject)) {
      for (const id of jobsInReply(reply, this.#subject)) this.jobs.add(id);
      this.#noteDeaths(reply);
      return true;
    }
    return [...this.jobs].some((id) => reply.includes(id));
  }

  /** Counts stand beside the id of a handed job, or as a value of their own. */
  #noteDeaths(reply: Buffer): void {
    const counts = stringsOf(reply).flatMap(
      (text) => /(\d+:[1-9]\d*:[rs]?)(\n|$)/.exec(text)?.[1] ?? [],
    );
    this.deaths.push(...counts);
  }

  #note({ role, pid }: Passer, store: Store, name: string, place: Place, mutates: boolean): Unit {
    const kind = `${role}/${store}:${name}`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const atMs = performance.now() - this.startedMs;
    const unit = { label: `${kind}#${count}`, role, store, place, mutates, pid, atMs };
    this.units.push(unit);
    return unit;
  }

  #isTarget({ label }: Unit): boolean {
    return !this.hasStruck && this.#target?.label === label;
  }

  #strike(unit: Unit, passage: Passage): void {
    this.hasStruck = true;
    this.#target?.strike({ unit, passage });
  }
}
