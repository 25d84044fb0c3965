/**
 * What workers do, as commands of fast-check, and what all commands are made of.
 */
import fc from 'fast-check';
import { same } from '../lines.ts';
import type { ShardModel } from './model.ts';
import type { Ending, Puppet } from './puppet.ts';
import { LEASE_MS, type Model, type World } from './world.ts';

export type Command = fc.AsyncCommand<Model, World>;

/** A command from its name, its arguments and what it does. */
export function command(text: string, run: (model: Model, real: World) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text };
}

/** The n-th of a list, counted round and round. */
export function pick<T>(list: readonly T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list[n % list.length];
}

export const anyJobs = (model: Model): string[] =>
  model.shards.flatMap(({ jobs }) => [...jobs.keys()]);

export const some = fc.nat(1000);
/** A command of one worker on one shard. */
function ofPuppet(
  name: string,
  run: (puppet: Puppet, shard: ShardModel, model: Model, real: World) => Promise<void>,
): fc.Arbitrary<Command> {
  return some.map((n) =>
    command(`${name}(${n})`, (model, real) => {
      const puppet = pick(real.puppets, n)!;
      return run(puppet, model.shards[puppet.shard]!, model, real);
    }),
  );
}

const ending = fc.constantFrom<Ending>(
  'succeeded',
  'succeeded',
  'back',
  'charged',
  'later',
  'failed',
  'failed',
);

interface Turn {
  n: number;
  endings: Ending[];
  most: number;
  stray: number;
}

const round = fc
  .record<Turn>({
    n: some,
    endings: fc.array(ending, { maxLength: 3 }),
    most: fc.constantFrom(0, 1, 2, Infinity),
    stray: some,
  })
  .map((turn) =>
    command(`round(${JSON.stringify(turn)})`, async (model, real) => {
      const puppet = pick(real.puppets, turn.n)!;
      await playRound(puppet, turn, model, real);
    }),
  );

async function playRound(puppet: Puppet, turn: Turn, model: Model, real: World): Promise<void> {
  const { worker } = puppet;
  const shard = model.shards[puppet.shard]!;
  const ids = [...puppet.known.keys()].slice(0, turn.endings.length);
  const ends = ids.map((id, i) => [id, turn.endings[i]!] as const);
  // Now and then it speaks of a job that is not its own.
  const other = turn.stray % 4 === 0 ? pick([...shard.jobs.keys()], turn.stray) : undefined;
  if (other !== undefined && !shard.heldBy(worker).has(other) && !ids.includes(other)) {
    ends.push([other, turn.endings[0] ?? 'succeeded']);
  }
  const { call, reply } = await puppet.round(ends, turn.most);
  await real.settle(model, (seen) => {
    const now = seen[puppet.shard]!;
    same(reply === undefined, !shard.held.has(worker), 'only an unknown worker is refused');
    if (reply === undefined) return shard.forgetTurns(worker);
    const held = shard.heldBy(worker);
    const lost = ends.map(([id]) => id).filter((id) => !held.has(id));
    same(reply.lost.toSorted(), lost.toSorted(), 'what it does not hold is refused');
    const claimed = reply.claimed.map(({ id }) => id);
    shard.end(
      worker,
      ends.filter(([id]) => held.has(id)),
      now,
      claimed,
    );
    shard.promote(now, claimed);
    shard.claim(call, reply, now);
  });
}

const repeat = ofPuppet('repeat', async (puppet, _, model, real) => {
  if (puppet.last === undefined) return;
  const { claimed, lost } = puppet.last.reply;
  const again = await puppet.repeat().catch(() => undefined);
  await real.settle(model, () => {
    // Who was reaped meanwhile has no answers any more.
    if (again === undefined)
      return same(model.shards[puppet.shard]!.held.has(puppet.worker), false, 'refused');
    same(
      again.claimed.map(({ id }) => id),
      claimed.map(({ id }) => id),
      'told the same',
    );
    same(again.lost, lost, 'told the same');
  });
});

const receive = ofPuppet('receive', async (puppet, _, model, real) => {
  await puppet.receive();
  await real.settle(model, () => undefined);
});

const resync = ofPuppet('resync', async (puppet, shard, model, real) => {
  const ids = await puppet.resync();
  const held = shard.held.get(puppet.worker);
  await real.settle(model, () => same(ids?.toSorted(), held && [...held].toSorted(), 'resync'));
});

const leave = ofPuppet('leave', async (puppet, shard, model, real) => {
  const count = await puppet.leave();
  await real.settle(model, (now) => {
    const ids = shard.remove(puppet.worker);
    same(count, ids.length, 'given back');
    shard.placeAll(ids, now[puppet.shard]!);
    if (ids.length > 0) model.setting.seen.add('left');
  });
});

const renew = ofPuppet('renew', async (puppet, shard, model, real) => {
  const { worker } = puppet;
  const isKnown = shard.held.has(worker);
  // One that is unknown learns it, and comes back as another.
  if (isKnown) await real.broker.renew(puppet.shard, worker, LEASE_MS);
  else await puppet.register(LEASE_MS);
  await real.settle(model, (now) => {
    shard.register(worker, LEASE_MS);
    shard.promote(now[puppet.shard]!);
  });
});

const reap = fc.boolean().map((isSecond) =>
  command(`reap(${isSecond ? 1 : 0})`, async (model, real) => {
    const index = isSecond ? 1 : 0;
    const shard = model.shards[index]!;
    const reply = await real.broker.reap(index);
    await real.settle(model, (now) => {
      const dead = [...shard.deadlines].filter(([, at]) => at <= model.setting.nowMs);
      const workers = dead.map(([worker]) => worker);
      same(
        reply.map(({ worker }) => worker).toSorted(),
        workers.toSorted(),
        'the silent are reaped',
      );
      for (const worker of workers) shard.charge(worker);
      shard.placeAll(
        workers.flatMap((worker) => shard.remove(worker)),
        now[index]!,
      );
    });
  }),
);

/** Rounds are the most frequent. */
export const WORKER_COMMANDS: fc.Arbitrary<Command>[] = [
  round,
  round,
  round,
  round,
  round,
  round,
  receive,
  receive,
  repeat,
  resync,
  leave,
  leave,
  renew,
  renew,
  reap,
];
