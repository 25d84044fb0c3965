/** The commands operators send to a running worker through `Control.broadcast`. */
import { hostname } from 'node:os';
import { Type, type Static, type TSchema } from 'typebox';
import { Check, Errors } from 'typebox/schema';
import { didYouMean } from '../../base/options/closest.ts';
import { SETTINGS } from '../../base/config.ts';
import { Control, QUEUE_NAME, type Broker, type Consumer } from '../../jobs/queue/index.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Runs } from './runs.ts';
import { Tally } from './tally.ts';

/** `warm`: running jobs may finish within the grace period; `cold`: all go back at once. */
export type ShutdownKind = 'warm' | 'cold';

/** The part of the worker that commands use. */
export interface CommandedWorker {
  readonly consumer: Pick<Consumer, 'size' | 'limit' | 'queues' | 'addQueue' | 'cancelQueue'>;
  readonly threads: number;
  concurrency: number;
  readonly runs: Pick<Runs, 'list' | 'has' | 'terminate'>;
}

export interface CommandsOptions {
  worker: CommandedWorker;
  broker: Broker;
  telemetry: Telemetry;
  tasks: Tasks;
  shutdown: ((kind: ShutdownKind) => void) | undefined;
}

/** Most jobs listed by `active`, oldest first; `held` is the full count. */
const MAX_LISTED = 500;

const Nothing = Type.Object({}, { additionalProperties: false });
const Queue = Type.Object(
  { queue: Type.String({ pattern: QUEUE_NAME.source }) },
  { additionalProperties: false },
);
const { min, max } = SETTINGS.WORKER_CONCURRENCY;
const Concurrency = Type.Object(
  { perThread: Type.Integer({ minimum: min, maximum: max }) },
  { additionalProperties: false },
);
const Termination = Type.Object(
  { id: Type.String({ format: 'uuid' }), revoke: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);
const Shutdown = Type.Object(
  { kind: Type.Enum(['warm', 'cold']) },
  { additionalProperties: false },
);

interface Verb {
  args: TSchema;
  run(args: unknown): unknown;
}

/** Types the arguments of a verb by its schema. */
function verb<S extends TSchema>(args: S, run: (args: Static<S>) => unknown): Verb {
  return { args, run };
}

/** `run` throws for unknown verbs and invalid arguments, with a message for the operator. */
export function createCommands({ worker, broker, telemetry, tasks, shutdown }: CommandsOptions): {
  run(name: string, args: unknown): Promise<unknown>;
} {
  const tally = new Tally(telemetry);
  const control = new Control(broker);
  const place = { pid: process.pid, hostname: hostname() };

  const verbs: Record<string, Verb> = {
    ping: verb(Nothing, () => place),
    active: verb(Nothing, () => ({
      held: worker.consumer.size,
      jobs: worker.runs.list().slice(0, MAX_LISTED),
    })),
    registered: verb(Nothing, () => registered(tasks)),
    stats: verb(Nothing, () => ({
      ...place,
      uptimeSeconds: Math.round(process.uptime()),
      queues: [...worker.consumer.queues],
      threads: worker.threads,
      concurrency: worker.concurrency,
      limit: worker.consumer.limit,
      held: worker.consumer.size,
      ended: tally.counts,
      residentBytes: process.memoryUsage.rss(),
    })),
    add_consumer: verb(Queue, async ({ queue }) => {
      await worker.consumer.addQueue(queue);
      return { queues: [...worker.consumer.queues] };
    }),
    cancel_consumer: verb(Queue, async ({ queue }) => {
      await worker.consumer.cancelQueue(queue);
      return { queues: [...worker.consumer.queues] };
    }),
    concurrency: verb(Concurrency, ({ perThread }) => {
      worker.concurrency = perThread;
      return { concurrency: perThread, limit: worker.consumer.limit };
    }),
    terminate: verb(Termination, async ({ id, revoke = false }) => {
      if (!worker.runs.has(id)) return { terminated: false };
      // Revoking takes the lease, so that later messages of the thread are refused.
      if (revoke) await control.revoke([id], 'It was terminated by an operator.');
      worker.runs.terminate(id, revoke);
      return { terminated: true };
    }),
    shutdown: verb(Shutdown, ({ kind }) => {
      if (shutdown === undefined) throw new Error('This worker cannot end its process.');
      // Lets the answer leave first.
      setImmediate(() => shutdown(kind));
      return { kind };
    }),
  };

  return {
    async run(name, args) {
      const found = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
      if (found === undefined) {
        const hint = didYouMean(name, Object.keys(verbs));
        throw new Error(`There is no command "${name.slice(0, 100)}".${hint}`);
      }
      if (!Check(found.args, args)) throw new Error(problemOf(name, found.args, args));
      return found.run(args);
    },
  };
}

function registered(tasks: Tasks): unknown {
  return Array.from(
    tasks,
    ({
      name,
      queue,
      durable,
      isolated,
      maxRetries,
      softTimeLimitMs = null,
      timeLimitMs,
      priority,
    }) => ({
      name,
      queue,
      durable,
      isolated,
      priority,
      maxRetries,
      softTimeLimitMs,
      timeLimitMs,
    }),
  );
}

function problemOf(name: string, schema: TSchema, args: unknown): string {
  const [, errors] = Errors(schema, args);
  const problems = errors.map(
    ({ instancePath, message }) => `${instancePath.slice(1) || 'the arguments'} ${message}`,
  );
  return `The command ${name} does not take these arguments: ${problems.join('; ')}.`;
}
