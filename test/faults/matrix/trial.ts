/**
 * One trial: one job, one fault at one unit of its life, and what came of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { insertCheckIn } from '../../support/domain/practices.ts';
import { HANG_MS, stretched } from '../../support/patience.ts';
import { act, goOn, goOnBeside, holdsNothing, NotProven, ownerOf } from './acts.ts';
import { violationsOf } from './invariants.ts';
import { MODES, type Fitting, type Mode } from './modes.ts';
import type { GatedProcess } from '../stage/processes.ts';
import type { Producer } from '../stage/producer.ts';
import { cachedVersion, endings, leftovers, settled } from '../stage/queue-state.ts';
import type { Stage } from '../stage/stage.ts';
import type { Strike, Unit, Watch } from '../gate/watch.ts';
import { producerOf, send } from './ways.ts';

export interface Trial {
  unit: Fitting;
  mode: Mode;
}

export interface Outcome extends Trial {
  violations: string[];
  /** Why the fault could not be struck, if it could not. */
  unproven: string | undefined;
  hasStruck: boolean;
  /** Whether the store answered what reached it late, if anything did: it may have ended the connection before. */
  late: 'answered' | 'connection ended' | undefined;
  /** How long the process was stopped, in milliseconds; 0 when it was not. */
  stoppedMs: number;
  /** Labels in order of what passed, the one the fault struck marked. */
  trace: string[];
  durationMs: number;
}

/** How long after the end of a job a fault at one of its last units may strike, in milliseconds. */
const TAIL_MS = stretched(1000);

/** @param deadlineMs longest it may take, in milliseconds. Default: until it can only be a hang. */
export async function runTrial(stage: Stage, trial: Trial, deadlineMs = HANG_MS): Promise<Outcome> {
  const running = new Running(stage, trial);
  const deadline = new AbortController();
  let startedMs = performance.now();
  let violations: string[] = [];
  let unproven: string | undefined;
  try {
    await running.prepare();
    startedMs = performance.now();
    const late = sleep(deadlineMs, undefined, { signal: deadline.signal }).then(() => {
      throw new Error('it did not end before its deadline');
    });
    late.catch(() => undefined);
    violations = await Promise.race([running.run(), late]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof NotProven || !running.hasStruck) unproven = reason;
    else violations = [reason];
  } finally {
    deadline.abort();
  }
  const durationMs = performance.now() - startedMs;
  const { hasStruck, stoppedMs, late: delivery } = running;
  const trace = running.trace();
  const seen = { violations, unproven, hasStruck, stoppedMs, trace, durationMs };
  return { ...trial, ...seen, late: delivery };
}

class Running {
  readonly #stage: Stage;
  readonly #trial: Trial;
  late: Outcome['late'];
  #watch: Watch | undefined;
  hasStruck = false;
  stoppedMs = 0;
  #noticed: Promise<void> | void = undefined;
  #isOver = false;

  constructor(stage: Stage, trial: Trial) {
    this.#stage = stage;
    this.#trial = trial;
  }

  trace(): string[] {
    this.#isOver = true;
    const start = this.#trial.unit.label;
    return (this.#watch?.units ?? []).map(
      ({ label, pid, atMs }) =>
        `${atMs.toFixed(0).padStart(6)} ms  ${pid}  ${label}${label === start ? '  <- struck' : ''}`,
    );
  }

  /** Resolves once the next job can be handed over, and whoever may have to take over is there. */
  async prepare(): Promise<void> {
    const { mode, unit } = this.#trial;
    if (MODES[mode].process !== 'lives' && unit.role !== 'scheduler') {
      await this.#stage.spare(unit.role);
    }
    await this.#stage.idle();
  }

  async run(): Promise<string[]> {
    const stage = this.#stage;
    const { unit, mode } = this.#trial;
    const { holds } = MODES[mode];
    const practice = await stage.person.practice();
    const callsBefore = await stage.stores.coach.chatCalls();
    const struck = new Promise<Strike>((resolve) => {
      const strike = (at: Strike): void => {
        this.hasStruck = true;
        this.#noticed = act(stage, watch, mode, at);
        resolve(at);
      };
      const fits = ({ label }: Unit): boolean => label === unit.label;
      const place = unit.place === 'reply' ? 'reply' : holds;
      const watch = (this.#watch = stage.begin(practice, [{ fits, place, strike }]));
    });
    const producer = producerOf(unit.way, stage, practice);
    const strike = await Promise.race([struck, this.#unstruck(producer)]);
    const owner = ownerOf(stage, strike);
    if (mode === 'W') {
      this.stoppedMs = await goOnBeside(stage, this.#watch!, owner, strike);
    } else await this.#replace(owner);
    await stage.healed;
    const id = await this.#finish(producer);
    const producers = [producer];
    if (mode === 'L' && unit.label.includes(':cache.')) producers.push(await this.#renew(practice));
    await this.#comeLate(strike, owner, producers);
    await this.#noticed;
    await settled(stage.stores.redis, id);
    return this.#judge(practice, callsBefore, producers, owner);
  }

  /** Asks, and fails when the job ends without the fault. */
  async #unstruck(producer: Producer): Promise<never> {
    const id = await send(this.#trial.unit.way, this.#stage, this.#watch!, producer);
    if (id !== undefined) await this.#stage.audit.ended(id);
    await sleep(TAIL_MS);
    if (!this.hasStruck) throw new NotProven('the fault did not strike: its unit never came');
    return new Promise(() => undefined);
  }

  async #replace(owner: GatedProcess): Promise<void> {
    const { process } = MODES[this.#trial.mode];
    if (process === 'lives') return;
    await this.#stage.replace(owner.role);
    if (process === 'stopped') return;
    await owner.exited;
    if (owner.role !== 'scheduler') this.#stage.prepareSpare(owner.role);
  }

  /** Resolves once the job is in its terminal state, and the queue knows. */
  async #finish(producer: Producer): Promise<string> {
    const id = await producer.insist(() => this.#isOver);
    await this.#stage.audit.ended(id);
    await settled(this.#stage.stores.redis, id);
    return id;
  }

  /** Has newer feedback written for the same practice. */
  async #renew(practice: string): Promise<Producer> {
    const { person, stores } = this.#stage;
    const { pool } = stores.database;
    const { rows } = await pool.query<{ id: number }>(
      'SELECT id FROM practices WHERE external_id = $1',
      [practice],
    );
    const note = '今天把昨天沒讀完的那一章補上了，順手把筆記抄進卡片，發現兩個觀點其實是同一件事。';
    await insertCheckIn(pool, rows[0]!.id, person.id, '2026-01-10', { note, mood: 'happy' });
    const producer = producerOf('handed over', this.#stage, practice);
    await this.#finish(producer);
    return producer;
  }

  /** What was held reaches the store after all. */
  async #comeLate(
    strike: Strike,
    owner: GatedProcess,
    producers: readonly Producer[],
  ): Promise<void> {
    const { mode } = this.#trial;
    if (mode === 'L') {
      this.late = (await strike.passage.deliver()) ? 'answered' : 'connection ended';
    }
    if (MODES[mode].process !== 'stopped') return;
    if (mode === 'Z') this.stoppedMs = await goOn(this.#watch!, owner, strike);
    for (const producer of producers) await producer.quiet();
    if (owner.role === 'worker') await holdsNothing(this.#stage, this.#watch!, owner);
    await this.#stage.retire(owner);
  }

  async #judge(
    practice: string,
    callsBefore: number,
    producers: readonly Producer[],
    owner: GatedProcess,
  ): Promise<string[]> {
    const { stores, audit } = this.#stage;
    for (const producer of producers) await producer.quiet();
    const { rows } = await stores.database.pool.query<{ id: string; graph: string | null }>(
      'SELECT t.id, g.status AS graph FROM ai.tasks t LEFT JOIN ai.graphs g ON g.id = t.graph_id WHERE t.subject = $1',
      [practice],
    );
    const tasks = rows.map(({ id }) => id);
    const violations = violationsOf({
      requests: producers.map(({ log }) => log),
      tasks,
      graphs: rows.flatMap(({ graph }) => graph ?? []),
      audit: await audit.rows(tasks),
      chatCalls: (await stores.coach.chatCalls()) - callsBefore,
      cachedVersion: await cachedVersion(stores.redis, practice),
      failures: failuresOf(this.#trial),
      deaths: this.#watch!.deaths,
      leftovers: await leftovers(stores.redis, tasks),
      endings: await Promise.all(tasks.map((id) => endings(stores.redis, id))),
      connections: owner.hasExited ? owner.connections : 0,
    });
    if (owner.hasExited) await this.#stage.bury(owner);
    return violations;
  }
}

/** A model that does not answer costs an attempt; nothing else does, a thread an operator ends included. */
function failuresOf({ unit, mode }: Trial): number {
  return unit.store === 'llm' && ['D', 'H', 'E'].includes(mode) ? 1 : 0;
}
