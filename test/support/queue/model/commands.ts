/**
 * Everything that can be done to a queue, as commands of fast-check: each does one thing and tells the model.
 */
import fc from 'fast-check';
import type { JobRequest } from '../../../../jobs/queue/index.ts';
import {
  anyJobs,
  command,
  pick,
  some,
  WORKER_COMMANDS,
  type Command,
} from './commands-of-workers.ts';
import { same } from '../lines.ts';
import type { Model } from './world.ts';
import { request, short } from '../scripts.ts';

export const QUEUES = ['red', 'green', 'blue'];

const someJobs = fc.array(some, { minLength: 1, maxLength: 3 });
const queue = fc.constantFrom(...QUEUES);
const minutes = fc.constantFrom(60_000, 120_000, 300_000);

interface Asked {
  queue: string;
  priority: number;
  delayMs: number;
  /** Asks for a known job once more, or for another one with its id. */
  again: 'no' | 'same' | 'other';
  which: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  queue,
  priority: fc.constantFrom(0, 5, 5, 9),
  delayMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, minutes),
  again: fc.constantFrom('no', 'no', 'no', 'no', 'same', 'other'),
  which: some,
});

/** @param before what the same call asks for already. */
function requestOf(model: Model, { again, which, ...rest }: Asked, before: readonly JobRequest[]) {
  const all = [...model.shards.flatMap(({ jobs }) => [...jobs.values()]), ...before];
  const known = again === 'no' ? undefined : pick(all, which);
  if (known === undefined) return request(`p${model.asked++}`, rest);
  return again === 'same' ? known : { ...known, payload: '"another"' };
}

const enqueue = fc.array(asked, { minLength: 1, maxLength: 5 }).map((list) =>
  command(`enqueue(${JSON.stringify(list)})`, async (model, real) => {
    const requests: JobRequest[] = [];
    for (const one of list) requests.push(requestOf(model, one, requests));
    const shards = new Set(requests.map(({ id }) => real.broker.shardOf(id)));
    for (const shard of shards) {
      const here = requests.filter(({ id }) => real.broker.shardOf(id) === shard);
      const words = await real.broker.enqueue(shard, here);
      await real.settle(model, (now) => {
        const { jobs, delayed } = model.shards[shard]!;
        here.forEach((job, i) => {
          const known = jobs.get(job.id);
          const word =
            known === undefined ? 'added' : known.payload === job.payload ? 'exists' : 'conflict';
          same(words[i], word, short(job.id));
          if (known !== undefined) return;
          jobs.set(job.id, job);
          const { delayMs = 0 } = job;
          if (delayMs > 0) delayed.set(job.id, model.setting.nowMs + delayMs);
          else model.shards[shard]!.place(job.id, 'tail', now[shard]!);
        });
      });
    }
  }),
);

const advance = minutes.map((ms) =>
  command(`advance(${ms})`, async (model, real) => {
    real.advance(ms);
    await real.settle(model, () => undefined);
  }),
);

/** As when Redis moves to a machine whose clock is behind. */
const fallBack = minutes.map((ms) =>
  command(`fallBack(${ms})`, async (model, real) => {
    real.advance(-ms);
    await real.settle(model, () => undefined);
    model.setting.seen.add('fell back');
  }),
);

const flushScripts = fc.constant(
  command('flushScripts()', async (model, real) => {
    await real.flushScripts();
    await real.settle(model, () => undefined);
  }),
);

/** It takes as long as hundreds of other commands, so that most are spared. */
const restart = some.map((n) =>
  command(`restart(${n})`, async (model, real) => {
    if (n % 12 > 0) return;
    await real.server.restart();
    await real.settle(model, () => undefined);
    model.setting.seen.add('restarted');
  }),
);

const revoke = someJobs.map((list) =>
  command(`revoke(${list.join()})`, async (model, real) => {
    const ids = [...new Set(list.flatMap((n) => pick(anyJobs(model), n) ?? []))];
    const words = await real.control.revoke(ids);
    await real.settle(model, () =>
      ids.forEach((id, i) =>
        same(words[i], model.shards[real.broker.shardOf(id)]!.revoke(id), short(id)),
      ),
    );
  }),
);

const requeue = someJobs.map((list) =>
  command(`requeue(${list.join()})`, async (model, real) => {
    const dead = model.shards.flatMap(({ failed }) => [...failed]);
    const ids = new Set(list.flatMap((n) => pick(n % 4 === 0 ? anyJobs(model) : dead, n) ?? []));
    const words = await real.control.requeue([...ids]);
    await real.settle(model, (now) =>
      [...ids].forEach((id, i) => {
        const index = real.broker.shardOf(id);
        const shard = model.shards[index]!;
        same(words[i], shard.failed.has(id) ? 'requeued' : 'not_failed', short(id));
        if (!shard.failed.delete(id)) return;
        shard.place(id, 'tail', now[index]!);
        model.setting.seen.add('requeued');
      }),
    );
  }),
);

const reschedule = fc.tuple(some, fc.constantFrom(0, 60_000, 300_000)).map(([n, delayMs]) =>
  command(`reschedule(${n}, ${delayMs})`, async (model, real) => {
    const aside = model.shards.flatMap(({ delayed }) => [...delayed.keys()]);
    const id = pick(n % 4 === 0 ? anyJobs(model) : aside, n);
    if (id === undefined) return;
    const word = await real.control.reschedule(id, delayMs);
    await real.settle(model, () => {
      const { delayed } = model.shards[real.broker.shardOf(id)]!;
      same(word, delayed.has(id) ? 'rescheduled' : 'not_scheduled', short(id));
      if (delayed.has(id)) delayed.set(id, model.setting.nowMs + delayMs);
    });
  }),
);

const pause = fc.tuple(queue, fc.boolean()).map(([name, isPaused]) =>
  command(`${isPaused ? 'pause' : 'resume'}(${name})`, async (model, real) => {
    await (isPaused ? real.control.pause(name) : real.control.resume(name));
    model.setting.paused[isPaused ? 'add' : 'delete'](name);
    await real.settle(model, (now) => {
      if (!isPaused) model.shards.forEach((shard, i) => shard.rouse(now[i]!));
    });
  }),
);

const purge = fc.option(queue).map((name) =>
  command(`purge(${name ?? ''})`, async (model, real) => {
    const count = await (name === null ? real.control.purgeFailed() : real.control.purge(name));
    await real.settle(model, () => {
      const counts = model.shards.map((shard) => shard.purge(name));
      same(count, counts[0]! + counts[1]!, 'forgotten');
    });
  }),
);

/** Those that move most jobs are the most frequent. */
export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...WORKER_COMMANDS,
  enqueue,
  enqueue,
  enqueue,
  advance,
  advance,
  revoke,
  requeue,
  requeue,
  reschedule,
  pause,
  pause,
  purge,
  fallBack,
  flushScripts,
  restart,
];
