/**
 * Finds jobs that are in no place or in several, and puts them where they belong. The scripts leave none, but Redis can lose
 * writes and operators can delete keys. Any number of workers may search; each call costs Redis little.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Loop } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import type { ShardFacts } from '../client/inspector.ts';

/** How often each worker compares the totals, plus up to half as much at random. */
const CHECK_MS = 60_000;
/** Longest pause after searches that repaired nothing. */
const MAX_REST_MS = 3_600_000;
/** How often one worker searches although the totals match, as they also do with one job lost and one doubled. */
const LOOK_MS = 3_600_000;
const PAGE = 1000;
/** Jobs compared at a time, with their ids in memory. Larger shards are searched only when the totals differ. */
const PART = 100_000;
/** Suspects in one call, and list entries it may read: some 5 ms of Redis. */
const SUSPECTS = 100;
const BUDGET = 200_000;
/** Pause between calls that take Redis that long. */
const PAUSE_MS = 20;

interface RepairEvents {
  repaired(ids: string[]): void;
  failed(error: unknown): void;
}

interface Repair {
  /** Jobs that were in no place, or in several. */
  ids: string[];
  /** Whether the shard had as many jobs as occupied places. */
  wasEven: boolean;
}

export function createRepair(shard: number, broker: Broker, events: RepairEvents): Loop {
  let restMs = 0;
  return new Loop({
    name: 'repair',
    onError: (error) => events.failed(error),
    maxErrorDelayMs: CHECK_MS,
    async tick(signal) {
      // A worker that has just started leaves the first check to the others.
      const { ids, wasEven } =
        restMs === 0 ? { ids: [], wasEven: true } : await repair(shard, broker, signal);
      if (ids.length > 0) events.repaired(ids);
      const isInVain = !wasEven && ids.length === 0;
      restMs = isInVain ? Math.min(restMs * 2, MAX_REST_MS) : CHECK_MS;
      return restMs * (1 + Math.random() / 2);
    },
  });
}

export async function repair(shard: number, broker: Broker, signal: AbortSignal): Promise<Repair> {
  const [jobs, places] = await broker.run<[number, number]>('tally', shard, []);
  const wasEven = jobs === places;
  if (wasEven && !(await isOurTurn(shard, broker, jobs))) return { ids: [], wasEven };
  const ids: string[] = [];
  const parts = Math.ceil(Math.max(jobs, places) / PART);
  for (let part = 0; part < parts && !signal.aborted; part++) {
    const isOurs = (id: string): boolean => Number.parseInt(id.slice(-4), 16) % parts === part;
    const once = await search(shard, broker, signal, isOurs);
    // A search may miss a job that moves meanwhile, but two searches hardly miss the same one.
    const twice = once.size === 0 ? once : await search(shard, broker, signal, isOurs);
    const suspects = [...once].filter((id) => twice.has(id));
    ids.push(...(await mend(shard, broker, suspects, signal)));
  }
  return { ids, wasEven };
}

async function isOurTurn(shard: number, broker: Broker, jobs: number): Promise<boolean> {
  if (jobs === 0 || jobs > PART) return false;
  return (await broker.run<number>('turn', shard, [LOOK_MS])) === 1;
}

/** @returns ids that were not in exactly one place; any ids once aborted. */
async function search(
  shard: number,
  broker: Broker,
  signal: AbortSignal,
  isOurs: (id: string) => boolean,
): Promise<Set<string>> {
  const seen = new Map<string, number>();
  for (const place of await placesOf(shard, broker)) {
    for await (const ids of pages(shard, broker, signal, place)) {
      for (const id of ids.map((text) => (place === 'delayed' ? text.slice(1) : text))) {
        if (isOurs(id)) seen.set(id, (seen.get(id) ?? 0) + 1);
      }
    }
  }
  const suspects = new Set<string>();
  const known = new Set<string>();
  for await (const ids of pages(shard, broker, signal, 'jobs')) {
    for (const id of ids.filter(isOurs)) {
      known.add(id);
      if (seen.get(id) !== 1) suspects.add(id);
    }
  }
  for (const id of seen.keys()) if (!known.has(id)) suspects.add(id);
  return suspects;
}

/** In the order in which jobs pass through them. */
async function placesOf(shard: number, broker: Broker): Promise<string[]> {
  const text = await broker.run<string>('overview', shard, []);
  const { queues, workers } = JSON.parse(text) as ShardFacts;
  const lines = Object.values(queues).flatMap(({ name, waiting }) =>
    waiting.flatMap((count, priority) => (count > 0 ? [`wait:${name}:${priority}`] : [])),
  );
  return [
    'delayed',
    ...lines,
    ...Object.values(workers).map(({ id }) => `lease:${id}`),
    'failed',
    'done',
  ];
}

async function* pages(
  shard: number,
  broker: Broker,
  signal: AbortSignal,
  place: string,
): AsyncIterable<string[]> {
  let cursor = '0';
  do {
    const args = [place, cursor, PAGE];
    const [next, ids] = await broker.run<[string, string[]]>('page', shard, args);
    yield ids;
    cursor = next;
    // A page before the last is short only when large records took Redis long to read.
    if (ids.length < PAGE && cursor !== '0') await sleep(PAUSE_MS);
  } while (cursor !== '0' && !signal.aborted);
}

async function mend(
  shard: number,
  broker: Broker,
  suspects: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let done = 0; done < suspects.length && !signal.aborted;) {
    const args = [BUDGET, ...suspects.slice(done, done + SUSPECTS)];
    const [seen, found] = await broker.run<[number, string[]]>('repair', shard, args);
    wrong.push(...found);
    done += seen;
    await sleep(PAUSE_MS);
  }
  return wrong;
}
