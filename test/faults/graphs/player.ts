/**
 * Plays what surrounds the database: workers and a queue, the scheduler, and who revokes and reopens. Each act is on a connection of its
 * own, beside others.
 */
import { transaction, type Pool } from '../../../db/stores/postgres.ts';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import {
  checkGraph,
  endGraph,
  lockGraph,
  takeGraphChecks,
} from '../../../db/tasks/graphs/advance.ts';
import { takeDueChecks } from '../../../db/tasks/reconciliation.ts';
import { reopenTask } from '../../../db/tasks/requeue.ts';
import type { Chance } from './chance.ts';
import type { Log } from './log.ts';
import type { Means, Played } from './played.ts';
import { Workers } from './workers.ts';

/** Acts at a time. */
const ACTORS = 4;

export class Player {
  readonly log: Log;
  readonly #pool: Pool;
  readonly #chance: Chance;
  readonly #graphs: readonly Played[];
  readonly #workers: Workers;
  #busy = 0;

  constructor(means: Means, graphs: readonly Played[]) {
    this.#pool = means.pool;
    this.#chance = means.chance;
    this.#graphs = graphs;
    this.#workers = new Workers(means, graphs);
    this.log = this.#workers.log;
  }

  release(tasks: readonly { id: string }[]): void {
    this.#workers.release(tasks);
  }

  /** Until nothing is left to do, and nothing is found that was lost. */
  async play(): Promise<void> {
    do {
      await Promise.all(Array.from({ length: ACTORS }, () => this.#work()));
      await this.#workers.comeLate();
    } while (await this.#recover());
  }

  /** Lets a failed task run again, and succeed. */
  async reopen(graph: Played, id: string): Promise<void> {
    graph.failing.delete(id);
    this.log.of(id).reopened.push(this.log.now());
    const word = await reopenTask(this.#pool, id, 0);
    this.log.count('reopened');
    if (word !== 'reopened') {
      this.log.violations.push(`a failed task could not be reopened: ${word}`);
    }
    this.release([{ id }]);
  }

  async #work(): Promise<void> {
    while (this.#workers.jobs + this.#busy > 0) {
      if (this.log.violations.length > 0) return;
      const act = this.#draw();
      if (act === undefined) {
        await pause();
        continue;
      }
      this.#busy++;
      try {
        await act;
      } catch (error) {
        this.log.violations.push(`threw ${String(error)}`);
      } finally {
        this.#busy--;
      }
    }
  }

  /** Begins an act. @returns undefined if there is nothing to do. */
  #draw(): Promise<void> | undefined {
    if (this.#workers.jobs === 0) return undefined;
    const roll = this.#chance.integer(100);
    if (roll < 8) return this.#check(this.#chance.pick(this.#graphs));
    if (roll < 14) return this.#revoke(this.#chance.pick(this.#graphs));
    return this.#workers.act(this.#chance.integer(100));
  }

  async #check(graph: Played): Promise<void> {
    if (!graph.isChecked) return;
    this.log.count('checked');
    this.release((await checkGraph(this.#pool, graph.id)).released);
  }

  async #revoke(graph: Played): Promise<void> {
    if (graph.revokes === 'nothing' || this.#chance.isIn100(50)) return;
    const at = this.log.now();
    const note = (ids: readonly string[]): void => {
      const end = {
        kind: 'revoked',
        epoch: Infinity,
        result: undefined,
        at,
        until: this.log.now(),
      } as const;
      for (const id of ids) this.log.of(id).ends.push(end);
      this.log.count('revoked', ids.length);
    };
    if (graph.revokes === 'tasks') {
      const ids = this.#chance.take([...graph.numbers.keys()], 2);
      const words = await revokeTasks(this.#pool, ids);
      return note(ids.filter((_, index) => words[index] === 'revoked'));
    }
    if (graph.isRevoked) return;
    const revoked = await transaction(this.#pool, async (tx) => {
      await lockGraph(tx, graph.id);
      return endGraph(tx, graph.id, 'TASK_REVOKED');
    });
    note(revoked);
    graph.isRevoked ||= revoked.length > 0;
    this.log.count('graphs revoked');
  }

  /** @returns whether the scheduler has found something to do. */
  async #recover(): Promise<boolean> {
    if (this.log.violations.length > 0) return false;
    const ids = this.#graphs.map(({ id }) => id);
    const followed = this.#graphs.flatMap((graph) => [...graph.followed.keys()]);
    await this.#pool.query(
      `UPDATE ai.tasks SET check_at = now()
       WHERE (graph_id = ANY($1) OR id = ANY($2)) AND status IN ('queued', 'running')`,
      [ids, followed],
    );
    const due = await takeDueChecks(this.#pool, 1000, 60_000);
    this.#workers.recover(due.map(({ id }) => id));
    const checked = this.#graphs.filter(({ isChecked }) => isChecked).map(({ id }) => id);
    await this.#pool.query('UPDATE ai.graphs SET check_at = now() WHERE id = ANY($1)', [checked]);
    let found = due.length;
    for (const id of await takeGraphChecks(this.#pool, 100, 60_000)) {
      const graph = this.#graphs.find((each) => each.id === id);
      if (graph === undefined || (!graph.isChecked && graph.followed.size === 0)) continue;
      const { released } = await checkGraph(this.#pool, id);
      found += released.length;
      this.release(released);
    }
    return found > 0;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1));
