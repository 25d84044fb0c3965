/**
 * A queue with several queues, shards and workers in which anything may happen, and what must be true after each thing.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Broker, Control, type QueueOptions } from '../../../../jobs/queue/index.ts';
import { same, type Setting } from '../lines.ts';
import { ShardModel } from './model.ts';
import { Puppet } from './puppet.ts';
import { places, snapshot, type Snapshot } from '../snapshot.ts';
import { short, testQueue, uuid, type TestQueue } from '../scripts.ts';

const SHARDS = 2;

/** The Redis of a world, which may be disturbed. */
export interface WorldServer {
  url: string;
  /** Kills it without a word and starts it again; everything written so far is synced. */
  restart(): Promise<void>;
}

export const LEASE_MS = 180_000;

export class Model {
  readonly setting: Setting;
  readonly shards: ShardModel[];
  /** Jobs that were ever asked for. */
  asked = 0;

  constructor(setting: Setting) {
    this.setting = setting;
    this.shards = Array.from({ length: SHARDS }, () => new ShardModel(setting));
  }
}

export class World {
  readonly broker: Broker;
  readonly control: Control;
  /** A puppet for each worker and shard. */
  readonly puppets: Puppet[];
  readonly #beganMs = Date.now();
  readonly #options: QueueOptions;
  readonly #queue: TestQueue;
  readonly #setting: Setting;

  readonly server: WorldServer;

  /** @param seqs how far each worker has counted its rounds: the sixteenth is another than the first. */
  constructor(t: TestContext, server: WorldServer, setting: Setting, seqs: readonly number[]) {
    const { url } = server;
    this.server = server;
    this.#queue = testQueue(t, { url, shards: SHARDS });
    this.#setting = setting;
    this.#options = {
      url,
      prefix: this.#queue.prefix,
      shards: SHARDS,
      clockOffsetMs: 0,
    };
    this.broker = new Broker(this.#options);
    this.control = new Control(this.broker);
    this.puppets = [...setting.serves].flatMap(([worker, queues], i) =>
      Array.from({ length: SHARDS }, (_, shard) => {
        return new Puppet(this.broker, shard, short(worker).slice(1), queues, { seq: seqs[i]! });
      }),
    );
  }

  /** Moves the clock that the broker tells Redis. */
  advance(ms: number): void {
    this.#setting.nowMs += ms;
    this.#options.clockOffsetMs = this.#setting.nowMs;
  }

  /** Redis forgets every script it was sent. */
  async flushScripts(): Promise<void> {
    await this.#queue.redis.script('FLUSH');
  }

  async look(): Promise<Snapshot[]> {
    const workers = [...this.#setting.serves.keys()];
    const read = (_: unknown, shard: number): Promise<Snapshot> =>
      snapshot(this.#queue, shard, this.#setting.queues, workers);
    return Promise.all(Array.from({ length: SHARDS }, read));
  }

  /** Looks at what a move came to, has the model follow it, and checks everything. */
  async settle(model: Model, follow: (now: Snapshot[]) => void): Promise<void> {
    const now = await this.look();
    for (const shard of now.keys()) {
      const [jobs, taken] = await this.broker.run<[number, number]>('tally', shard, []);
      assert.equal(jobs, taken, 'there are as many jobs as places they take');
    }
    const found = places(now);
    for (const [id, where] of found) {
      assert.equal(where.length, 1, `${short(id)} is in ${short(where).join(' and ')}`);
    }
    follow(now);
    const known = model.shards.flatMap(({ jobs }) => [...jobs.keys()]);
    same(
      [...found.keys()].toSorted(),
      known.toSorted(),
      'no job is lost, and none came from nowhere',
    );
    now.forEach((seen, shard) => {
      this.#assertInboxes(model.shards[shard]!, seen, shard);
      assertAsModelled(model.shards[shard]!, seen, this.#beganMs);
      model.shards[shard]!.last = seen;
    });
  }

  async close(): Promise<void> {
    this.broker.close();
    await this.#queue.drop();
  }

  /** What a worker leases is what it knows and what lies in its inbox, and none is there twice. */
  #assertInboxes(model: ShardModel, now: Snapshot, shard: number): void {
    model.told = new Set();
    for (const puppet of this.puppets.filter((one) => one.shard === shard)) {
      const { worker, known, limit } = puppet;
      const inbox = now.inbox[worker] ?? [];
      if (inbox.includes('c') || puppet.mustLook) model.told.add(worker);
      if (!model.held.has(worker)) {
        same(inbox, [], 'an inbox without a worker');
        continue;
      }
      const ids = (kind: string) =>
        inbox.filter((one) => one.startsWith(kind)).map((one) => one.slice(1, 37));
      const revoked = new Set(ids('r'));
      const all = [...known.keys(), ...ids('j')];
      const alive = all.filter((id) => !revoked.has(id)).toSorted();
      same(alive, [...model.heldBy(worker)].toSorted(), 'a worker knows of its leases');
      assert.ok(alive.length <= limit, `${alive.length} jobs for one that holds ${limit}`);
    }
    model.assertNobodyOverlooks((worker) => model.told.has(worker));
  }
}

function assertAsModelled(model: ShardModel, now: Snapshot, beganMs: number): void {
  const early = [...model.delayed.keys()].filter((id) => now.delayed[id] === undefined);
  same(early, [], 'left before its time');
  for (const [id, due] of model.delayed) {
    const sinceMs = now.delayed[id]! - due - beganMs;
    assert.ok(
      sinceMs >= -5 && sinceMs < Date.now() - beganMs + 5,
      `${short(id)} is due when it was asked for`,
    );
  }
  const lists = (map: ReadonlyMap<string, Iterable<string>>, isSorted: boolean) =>
    Object.fromEntries(
      [...map]
        .map(([key, ids]) => [key, isSorted ? [...ids].toSorted() : [...ids]] as const)
        .filter(([, ids]) => ids.length > 0),
    );
  same(now.lines, lists(model.lines, false), 'lines');
  const held = Object.fromEntries(
    Object.entries(now.held).map(([key, ids]) => [key, ids.toSorted()]),
  );
  same(held, lists(model.held, true), 'leases');
  same(Object.keys(now.delayed).toSorted(), [...model.delayed.keys()].toSorted(), 'delayed');
  same(now.failed, [...model.failed].toSorted(), 'failed');
  same(now.done, [...model.done.keys()].toSorted(), 'done');
  same(now.workers, [...model.held.keys()].toSorted(), 'workers');
  same(now.free, Object.fromEntries([...model.free].filter(([, free]) => free > 0)), 'free');
  same(now.counts, Object.fromEntries(model.counts), 'counts');
  const kind = (id: string): string =>
    model.done.get(id) ?? (model.failed.has(id) ? 'f1' : model.revoked.has(id) ? 'x1' : 'v1');
  same(now.kinds, Object.fromEntries([...model.jobs.keys()].map((id) => [id, kind(id)])), 'kinds');
}

/** Opens a world whose workers are all registered. */
export async function openWorld(
  t: TestContext,
  server: WorldServer,
  queues: readonly string[],
  serves: readonly (readonly string[])[],
  seqs: readonly number[],
  seen: Set<string>,
): Promise<{ model: Model; real: World }> {
  const workers = new Map(serves.map((served, i) => [uuid(`worker${i}`), served] as const));
  const setting: Setting = { nowMs: 0, queues, paused: new Set(), serves: workers, seen };
  const model = new Model(setting);
  const real = new World(t, server, setting, seqs);
  for (const puppet of real.puppets) {
    await puppet.register(LEASE_MS);
    model.shards[puppet.shard]!.register(puppet.worker, LEASE_MS);
  }
  const now = await real.look();
  model.shards.forEach((shard, i) => (shard.last = now[i]!));
  return { model, real };
}
