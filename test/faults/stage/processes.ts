/**
 * Processes of the application whose every way to a store leads through a gate.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { stretched } from '../../support/patience.ts';
import { Signals } from '../../support/signals.ts';
import { createHttpFramer } from '../gate/framers/http.ts';
import { createPostgresFramer } from '../gate/framers/postgres.ts';
import { createRespFramer, stringsOf, type ScriptNames } from '../gate/framers/resp.ts';
import type { Request } from '../gate/framers/framer.ts';
import { Gate } from '../gate/gate.ts';
import type { Judge, Role, Store } from '../gate/passage.ts';
import { endWithTest, forget } from '../../support/queue/survivors.ts';
import type { Watch } from '../gate/watch.ts';

/**
 * Deadlines of Postgres in milliseconds, which the gate shortens in the handshake, in proportion to the lease of tests: a
 * transaction whose owner was killed or stopped holds its locks until then.
 */
const DEADLINES = {
  lock_timeout: String(stretched(400)),
  idle_in_transaction_session_timeout: String(stretched(1000)),
};

/** Place of the worker's id in a call of `renew`. */
const WORKER_OF_RENEW = 5;

export interface ProcessOptions {
  role: Role;
  /** Folder of the compiled program; its package is the folder above. */
  program: string;
  stores: Readonly<Record<Store, string>>;
  scripts: ScriptNames;
  env: Readonly<Record<string, string>>;
  /** The job that is watched now. */
  watched(): Watch | undefined;
}

export class GatedProcess {
  readonly role: Role;
  inService = false;
  /** Id of the worker in the queue, once it has registered. */
  workerId: string | undefined;
  readonly exited: Promise<void>;
  readonly gates: Record<Store, Gate>;
  readonly #child: ChildProcess;
  readonly #output = new Signals<string>();

  constructor(role: Role, gates: Record<Store, Gate>, child: ChildProcess, judges: Judges) {
    this.role = role;
    this.gates = gates;
    this.#child = child;
    judges.owner = this;
    this.exited = new Promise((resolve) => child.once('close', () => resolve()));
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => this.#output.note(chunk));
    void this.exited.then(() => this.#output.note('exited'));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Where the API listens. */
  get origin(): string {
    return /on (http:\S+)/.exec(this.text())?.[1] ?? '';
  }

  text(): string {
    return this.#output.seen.join('');
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @throws with its output when it ends before it has started. */
  async started(): Promise<this> {
    await this.#output.until(
      () => this.hasExited || /process\.started/.test(this.text()) || undefined,
    );
    if (this.role === 'api')
      await this.#output.until(() => this.origin || this.hasExited || undefined);
    if (this.hasExited) throw new Error(`a process ended while it started: ${this.text()}`);
    return this;
  }

  /** Connections it holds at its gates. */
  get connections(): number {
    return Object.values(this.gates).reduce((sum, gate) => sum + gate.connections, 0);
  }

  async end(): Promise<void> {
    this.kill('SIGKILL');
    await this.exited;
    forget(this.pid);
    await Promise.all(Object.values(this.gates).map((gate) => gate.close()));
  }
}

/** Gates are there before the process whose they are. */
interface Judges {
  owner: GatedProcess | undefined;
}

export async function startProcess(options: ProcessOptions): Promise<GatedProcess> {
  const { role, program, stores, scripts, env, watched } = options;
  const judges: Judges = { owner: undefined };
  const judgeOf = (store: Store): Judge => ({
    request(request) {
      const { owner } = judges;
      if (owner === undefined) return 'pass';
      noteWorker(owner, request);
      return watched()?.request(owner, store, request) ?? 'pass';
    },
    reply: (request, reply) =>
      (judges.owner && watched()?.reply(judges.owner, store, request, reply)) ?? 'pass',
  });
  const framers = {
    redis: () => createRespFramer(scripts),
    pg: () => createPostgresFramer(DEADLINES),
    llm: () => createHttpFramer(),
  };
  const gateOf = (store: Store): Gate =>
    new Gate({ target: stores[store], framer: framers[store], judge: judgeOf(store) });
  const gates = { redis: gateOf('redis'), pg: gateOf('pg'), llm: gateOf('llm') };
  const [redis, pg, llm] = await Promise.all([
    gates.redis.open(),
    gates.pg.open(),
    gates.llm.open(),
  ]);
  const { PATH = '', HOME = '' } = process.env;
  const urls = { REDIS_URL: redis, DATABASE_URL: pg, OPENAI_BASE_URL: llm };
  const child = spawn(process.execPath, [path.join(program, 'main.js')], {
    env: { PATH, HOME, ...env, ...urls, ROLE: role },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithTest(child.pid!);
  return new GatedProcess(role, gates, child, judges);
}

/** The first renewal tells which worker of the queue a process is. */
function noteWorker(owner: GatedProcess, { name, bytes }: Request): void {
  if (name === 'renew') owner.workerId ??= stringsOf(bytes)[WORKER_OF_RENEW];
}
