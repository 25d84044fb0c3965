/**
 * One copy of the whole application behind gates: an API, a worker and a scheduler process that serve, and a warm spare of the
 * first two, so that a killed one is replaced at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, Control } from '../../../jobs/queue/index.ts';
import { packagePath } from '../../../base/package-path.ts';
import { startAnswering } from '../../support/app/answering.ts';
import { HANG_MS, stretched } from '../../support/patience.ts';
import { createPerson, type Person, type TestStores } from '../../support/app/app.ts';
import { installAudit, type Audit } from './audit.ts';
import { createStores, type Killable, type OwnEngines } from './own-engines.ts';
import { startProcess, type GatedProcess } from './processes.ts';
import { scriptNames } from '../gate/scripts.ts';
import type { ScriptNames } from '../gate/framers/resp.ts';
import type { Role } from '../gate/passage.ts';
import { Watch, type Target } from '../gate/watch.ts';

export const LEASE_MS = stretched(500);
/** The queue the watched task names. */
const QUEUE = 'ai_tasks';
/** On a busy machine a process may give up a store that does not answer at once. */
const MOST_STARTS = 3;

/** What a spare serves until its turn. */
const SPARE_QUEUE = 'spare';

export type Replaceable = 'api' | 'worker';

export class Stage {
  readonly stores: TestStores;
  readonly person: Person;
  readonly audit: Audit;
  readonly control: Control;
  /** Of the watched queue. */
  readonly broker: Broker;
  watch: Watch | undefined;
  /** Resolves once every store that was killed serves again. */
  healed: Promise<void> = Promise.resolve();
  readonly #engines: OwnEngines | undefined;
  readonly #program: string;
  readonly #scripts: ScriptNames;
  readonly #others: Awaited<ReturnType<typeof startAnswering>>;
  readonly #all = new Set<GatedProcess>();
  readonly #serving = new Map<Role, GatedProcess>();
  readonly #spares = new Map<Replaceable, Promise<GatedProcess>>();

  private constructor(parts: {
    stores: TestStores;
    person: Person;
    audit: Audit;
    program: string;
    scripts: ScriptNames;
    others: Awaited<ReturnType<typeof startAnswering>>;
    engines: OwnEngines | undefined;
  }) {
    this.#engines = parts.engines;
    this.stores = parts.stores;
    this.person = parts.person;
    this.audit = parts.audit;
    this.#program = parts.program;
    this.#scripts = parts.scripts;
    this.#others = parts.others;
    const { url, prefix } = parts.stores.redis;
    this.broker = new Broker({ url, prefix });
    this.control = new Control(this.broker);
  }

  /**
   * @param program folder of the compiled program. Default: this one.
   * @param engines a Redis and a Postgres it may kill; they end with it. Default: those of the tests.
   * @param spares roles of processes that may have to be replaced: what is not started now is started when it is needed.
   */
  static async open(
    program = packagePath('dist'),
    spares: readonly Replaceable[] = ['worker', 'api'],
    engines?: OwnEngines,
  ): Promise<Stage> {
    const [stores, others, scripts] = await Promise.all([
      createStores(engines),
      startAnswering(),
      scriptNames(program),
    ]);
    const audit = await installAudit(stores.database);
    const person = await createPerson(stores.database, '', stores.config.jwtSecurity);
    const stage = new Stage({ stores, person, audit, program, scripts, others, engines });
    try {
      await stage.#start();
      for (const role of spares) stage.prepareSpare(role);
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  async #start(): Promise<void> {
    const start = async (role: Role, queues?: string, tries = MOST_STARTS): Promise<void> => {
      const owner = await this.#launch(role, queues);
      owner.inService = true;
      try {
        this.#serving.set(role, await owner.started());
      } catch (error) {
        if (tries === 1) throw error;
        await start(role, queues, tries - 1);
      }
    };
    await Promise.all([start('worker', QUEUE), start('api'), start('scheduler')]);
  }

  serving(role: Role): GatedProcess {
    return this.#serving.get(role)!;
  }

  /** Kills a store and starts it again. */
  restart(store: Killable): void {
    this.healed = this.#engines?.restart(store) ?? Promise.reject(new Error('not its own store'));
    this.healed.catch(() => undefined);
  }

  get processes(): GatedProcess[] {
    return [...this.#all];
  }

  /** Begins to watch a job. */
  begin(practice: string, targets: readonly Target[] = []): Watch {
    const gaveBack = (jobs: readonly string[]): void => {
      // What is put off for the sake of a store that may come back is not waited for here.
      for (const id of jobs) void this.control.reschedule(id, 0).catch(() => undefined);
    };
    return (this.watch = new Watch(practice, targets, gaveBack));
  }

  /** Starts a process that can take over. */
  prepareSpare(role: Replaceable): void {
    const ready = this.#launch(role, SPARE_QUEUE).then((owner) => owner.started());
    // Whoever needs it hears of it.
    ready.catch(() => undefined);
    this.#spares.set(role, ready);
  }

  /** Resolves once there is one. */
  async spare(role: Replaceable): Promise<GatedProcess> {
    if (!this.#spares.has(role)) this.prepareSpare(role);
    return this.#spares.get(role)!;
  }

  /** Puts the spare in the place of a process. @returns it. */
  async replace(role: Role): Promise<GatedProcess> {
    const owner =
      role === 'scheduler' ? await (await this.#launch(role)).started() : await this.spare(role);
    owner.inService = true;
    this.#serving.set(role, owner);
    if (role === 'worker') await this.serve(owner, true);
    return owner;
  }

  /** Makes one that was replaced, and lives, the spare. */
  async retire(owner: GatedProcess): Promise<void> {
    if (owner.role === 'scheduler') return this.bury(owner);
    if (owner.role === 'worker') await this.serve(owner, false);
    owner.inService = false;
    this.#spares.set(owner.role, Promise.resolve(owner));
  }

  /** Removes one that has ended. */
  async bury(owner: GatedProcess): Promise<void> {
    await owner.end();
    this.#all.delete(owner);
  }

  /** Has a worker serve the queue, or serve it no longer. */
  async serve(owner: GatedProcess, isWanted: boolean): Promise<void> {
    await this.ask(owner, isWanted ? 'add_consumer' : 'cancel_consumer', { queue: QUEUE });
  }

  /** Asks a worker something until it answers: one that was reaped is not registered for a moment. */
  async ask(owner: GatedProcess, verb: string, args: object): Promise<unknown> {
    const deadline = performance.now() + HANG_MS;
    for (;;) {
      const workers = owner.workerId === undefined ? [] : [owner.workerId];
      const [told] = await this.control.broadcast(verb, args, { timeoutMs: 1000, workers });
      if (told?.kind === 'answered') return told.answer;
      if (performance.now() > deadline) {
        throw new Error(`a worker did not do ${verb}: ${JSON.stringify(told)}`);
      }
      await sleep(20);
    }
  }

  /** Resolves once the serving worker waits for jobs, so that the next one is handed to it. */
  async idle(): Promise<void> {
    const { client, prefix } = this.stores.redis;
    const { workerId = '' } = this.serving('worker');
    const deadline = performance.now() + HANG_MS;
    for (;;) {
      const [waits, free] = await Promise.all([
        client.zscore(`${prefix}:{s0}:idle:${QUEUE}`, workerId),
        client.hget(`${prefix}:{s0}:free`, workerId),
      ]);
      if (waits !== null && Number(free) > 0) return;
      if (performance.now() > deadline)
        throw new Error('the serving worker does not wait for jobs');
      await sleep(10);
    }
  }

  async #launch(role: Role, queues = QUEUE): Promise<GatedProcess> {
    const { config } = this.stores;
    const owner = await startProcess({
      role,
      program: this.#program,
      scripts: this.#scripts,
      stores: { redis: config.redisUrl, pg: config.databaseUrl, llm: config.openaiBaseUrl },
      watched: () => this.watch,
      env: {
        CLICKHOUSE_URL: this.#others.url,
        QDRANT_URL: this.#others.url,
        JWT_SECURITY: config.jwtSecurity,
        SCHEDULES: config.schedules,
        // One person asks in all trials of a stage.
        FEEDBACK_PER_DAY: String(config.feedbackPerDay),
        QUEUE_PREFIX: config.queuePrefix,
        LEASE_MS: String(LEASE_MS),
        SHUTDOWN_GRACE_MS: '0',
        WORKER_THREADS: '1',
        WORKER_QUEUES: queues,
        LLM_TIMEOUT_MS: String(stretched(2000)),
        PORT: '0',
      },
    });
    this.#all.add(owner);
    return owner;
  }

  async close(): Promise<void> {
    this.watch = undefined;
    await Promise.allSettled(this.#spares.values());
    await Promise.all([...this.#all].map((owner) => owner.end()));
    this.broker.close();
    this.#others.stop();
    await this.audit.close();
    await this.stores.drop();
    await this.#engines?.stop();
  }
}
