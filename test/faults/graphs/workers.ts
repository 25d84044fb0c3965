/** Workers that run tasks, crash, come late and settle in batches, and the queue between them, which delivers twice or loses. */
import { isPostgresAway, type Pool } from '../../../db/stores/postgres.ts';
import { settleTasks, startTask, startTasks, type End } from '../../../db/tasks/attempts.ts';
import { endAndAdvance } from '../../../db/tasks/graphs/advance.ts';
import { findOutput } from '../../../db/tasks/graphs/read.ts';
import type { Chance } from './chance.ts';
import { Log } from './log.ts';
import {
  endOnly,
  FAILURE,
  lastEnd,
  mayBeOld,
  toEnding,
  type Attempt,
  type Finish,
  type Means,
  type Played,
} from './played.ts';

export class Workers {
  readonly log = new Log();
  readonly #pool: Pool;
  readonly #chance: Chance;
  readonly #end: typeof endAndAdvance;
  readonly #graphOf: ReadonlyMap<string, Played>;
  /** Ids in the queue. */
  readonly #queued: string[] = [];
  readonly #held: Attempt[] = [];
  readonly #late: Attempt[] = [];

  constructor({ pool, chance, end = endAndAdvance }: Means, graphs: readonly Played[]) {
    this.#pool = pool;
    this.#chance = chance;
    this.#end = end;
    this.#graphOf = new Map(
      graphs.flatMap((graph) =>
        [...graph.numbers.keys(), ...graph.followed.keys()].map((id) => [id, graph] as const),
      ),
    );
  }

  /** How many jobs are in the queue or in hands. */
  get jobs(): number {
    return this.#queued.length + this.#held.length;
  }

  /** The queue takes what was released, or loses it. */
  release(tasks: readonly { id: string }[]): void {
    const ids = tasks.map(({ id }) => id);
    if (!ids.every((id) => this.#graphOf.has(id))) {
      this.log.violations.push('a task was released that is in no composition');
    }
    this.log.count('released', ids.length);
    const isLost = this.#chance.isIn100(8);
    if (isLost) this.log.count('released and lost', ids.length);
    else this.#queued.push(...ids);
    if (this.#chance.isIn100(10)) this.#queued.push(...ids);
  }

  /** What the reconciler has found goes to the queue again. */
  recover(ids: readonly string[]): void {
    const own = ids.filter((id) => this.#graphOf.has(id));
    this.log.count('recovered', own.length);
    this.#queued.push(...own);
  }

  /** @param roll of a hundred. */
  async act(roll: number): Promise<void> {
    const take = this.#chance.take;
    if (roll < 8 && this.#late.length > 0) return this.#comeLate(take(this.#late, 3));
    if (this.#chance.integer(this.jobs) < this.#queued.length) {
      return this.#start(take(this.#queued, 5));
    }
    if (roll < 16) return this.#crash(take(this.#held, 1));
    return this.#settle(take(this.#held, 5));
  }

  async comeLate(): Promise<void> {
    await this.#comeLate(this.#late.splice(0));
  }

  async #start(ids: string[]): Promise<void> {
    if (this.#chance.isIn100(10)) {
      this.#queued.push(...ids);
      this.log.count('delivered twice', ids.length);
    }
    const at = this.log.now();
    try {
      const starts = await startTasks(
        this.#pool,
        ids.map((id) => ({ id, charged: 0 })),
        'skip',
      );
      for (const [index, id] of ids.entries()) {
        const start = starts[index] ?? (await startTask(this.#pool, id, 0));
        if (start === undefined) {
          this.log.count('not started');
          continue;
        }
        const graph = this.#graphOf.get(id)!;
        const member = this.#memberOf(id);
        if (start.graphId !== (member === id ? graph.id : null)) {
          this.log.violations.push('a task has another graph');
        }
        const attempt: Attempt = {
          id,
          member,
          graph,
          epoch: start.epoch,
          isFirst: start.isFirst,
          previous: undefined,
        };
        if (start.previous !== null) {
          attempt.previous = await findOutput(this.#pool, graph.id, start.previous);
        }
        this.log
          .of(member)
          .runs.push({ epoch: Number(start.epoch), previous: attempt.previous, at });
        this.log.count('started');
        this.#held.push(attempt);
      }
    } catch (error) {
      this.#lose(error);
      for (const id of ids) this.log.of(this.#memberOf(id)).isUnseen = true;
      this.#queued.push(...ids);
    }
  }

  #memberOf(id: string): string {
    return this.#graphOf.get(id)?.followed.get(id) ?? id;
  }

  /** The connection breaks, or the database is too slow: what was to be written may have been. */
  #lose(error: unknown): void {
    if (!isPostgresAway(error) || (error as { code?: string }).code === '40P01') throw error;
    this.log.count('timed out');
  }

  async #settle(attempts: Attempt[]): Promise<void> {
    const endings = attempts.map((attempt) => ({ attempt, end: this.#drawEnd(attempt) }));
    const isLast = ({ end }: { end: End }) => end.kind === 'succeeded' || end.kind === 'failed';
    const again = endings.filter((ending) => !isLast(ending));
    if (again.length > 0) {
      const given = again.map(toEnding);
      const settled = await settleTasks(this.#pool, given, 'wait');
      this.log.count('queued again', settled.filter(Boolean).length);
      this.#queued.push(...again.map(({ attempt }) => attempt.id));
    }
    await this.#finish(endings.filter(isLast));
  }

  #drawEnd(attempt: Attempt): End {
    const roll = this.#chance.integer(100);
    if (roll < 8) return { kind: 'retry', delayMs: 0, ...FAILURE };
    if (roll < 14) return { kind: 'unstarted', isFirst: attempt.isFirst };
    if (roll < 17) return { kind: 'snoozed', delayMs: 0 };
    return lastEnd(attempt);
  }

  /** As workers do: together, then what was left alone. */
  async #finish(endings: readonly Finish[]): Promise<void> {
    if (endings.length === 0) return;
    const left = await this.#settleAndAdvance(endings, 'skip');
    for (const ending of left) {
      for (const { attempt } of await this.#settleAndAdvance([ending], 'wait')) {
        this.log.count('refused');
        this.log.of(attempt.member).refused.push(Number(attempt.epoch));
      }
    }
    this.log.count(endings.length > 1 ? 'batches' : 'settled alone');
    // Some workers do not notice that they have settled.
    const repeated = endings.filter(() => this.#chance.isIn100(10));
    this.#late.push(...repeated.map(({ attempt }) => attempt));
  }

  /** @returns those that were not settled. */
  async #settleAndAdvance<E extends Finish>(
    endings: readonly E[],
    ifLocked: 'skip' | 'wait',
  ): Promise<E[]> {
    const at = this.log.now();
    const given = endings.map(toEnding);
    const ids = endings.map(({ attempt }) => attempt.id);
    const isOld = endings.every(mayBeOld) && this.#chance.isIn100(15);
    if (isOld) this.log.count('settled by an old release', ids.length);
    try {
      const { ended, released } = await (isOld ? endOnly : this.#end)(this.#pool, ids, (tx) =>
        settleTasks(tx, given, ifLocked),
      );
      for (const [index, isSettled] of ended.entries()) {
        if (isSettled) this.#note(endings[index]!, at);
      }
      this.release(released);
      return endings.filter((_, index) => !ended[index]);
    } catch (error) {
      this.#lose(error);
      this.#queued.push(...ids);
      return [];
    }
  }

  #note({ attempt, end }: Finish, at: number): void {
    const { ends } = this.log.of(attempt.member);
    const epoch = Number(attempt.epoch);
    const isSuccess = end.kind === 'succeeded';
    const result = isSuccess ? (JSON.parse(end.result) as unknown) : undefined;
    ends.push({ kind: isSuccess ? 'done' : 'error', epoch, result, at, until: this.log.now() });
    this.log.count(isSuccess ? 'succeeded' : 'failed');
  }

  /** The worker is thought dead, and its job delivered again. */
  async #crash(attempts: Attempt[]): Promise<void> {
    this.log.count('crashed', attempts.length);
    this.#late.push(...attempts);
    this.#queued.push(...attempts.map(({ id }) => id));
  }

  async #comeLate(attempts: Attempt[]): Promise<void> {
    this.log.count('came late', attempts.length);
    await this.#finish(attempts.map((attempt) => ({ attempt, end: lastEnd(attempt) })));
  }
}
