/**
 * Where the jobs of a shard are, read from Redis in one go and told by nobody else.
 */
import type { TestQueue } from './scripts.ts';

export interface Snapshot {
  /** `queue:priority` to the ids in that line; empty lines left out. */
  lines: Record<string, string[]>;
  /** Id to due time. */
  delayed: Record<string, number>;
  /** Worker to the ids it leases. */
  held: Record<string, string[]>;
  failed: string[];
  done: string[];
  /** Id to the kind of its record. */
  kinds: Record<string, string>;
  counts: Record<string, string>;
  /** Worker to its unread messages. */
  inbox: Record<string, string[]>;
  /** Worker to the jobs it takes, if it takes any. */
  free: Record<string, number>;
  /** Registered workers. */
  workers: string[];
}

/** Reads what a shard holds of these queues and workers. */
export async function snapshot(
  { broker, redis }: TestQueue,
  shard: number,
  queues: readonly string[],
  workers: readonly string[],
): Promise<Snapshot> {
  const key = (name: string): string => broker.key(shard, name);
  const lines = queues.flatMap((queue) =>
    Array.from({ length: 10 }, (_, priority) => `${queue}:${priority}`),
  );
  const read = redis.pipeline();
  for (const line of lines) read.lrange(key(`wait:${line}`), 0, -1);
  for (const worker of workers) read.smembers(key(`lease:${worker}`));
  for (const worker of workers) read.lrange(key(`inbox:${worker}`), 0, -1);
  read.zrange(key('delayed'), 0, '-1', 'WITHSCORES').zrange(key('failed'), 0, '-1');
  read.lrange(key('done'), 0, -1).zrange(key('workers'), 0, '-1');
  read.hgetall(key('jobs')).hgetall(key('counts')).hgetall(key('free'));
  const answers = (await read.exec())!.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
  const take = <T>(count: number): T[] => answers.splice(0, count) as T[];
  const byName = (names: readonly string[]): Record<string, string[]> =>
    byKey(names, take<string[]>(names.length));
  const [waiting, held, inbox] = [byName(lines), byName(workers), byName(workers)];
  const [due, failed, done, registered] = take<string[]>(4);
  const [jobs, counts, free] = take<Record<string, string>>(3);
  return {
    lines: waiting,
    held,
    inbox,
    delayed: Object.fromEntries(
      Array.from({ length: due!.length / 2 }, (_, i) => [
        due![2 * i]!.slice(1),
        Number(due![2 * i + 1]),
      ]),
    ),
    failed: failed!.toSorted(),
    done: done!.toSorted(),
    workers: registered!.toSorted(),
    kinds: mapValues(jobs!, (record) => record.slice(0, 2)),
    counts: { ...counts },
    free: Object.fromEntries(
      Object.entries(free!)
        .map(([worker, slots]) => [worker, Number(slots)] as const)
        .filter(([, slots]) => slots > 0),
    ),
  };
}

function byKey(names: readonly string[], lists: readonly string[][]): Record<string, string[]> {
  const pairs = names.map((name, i) => [name, lists[i]!] as const);
  return Object.fromEntries(pairs.filter(([, list]) => list.length > 0));
}

function mapValues<T, R>(from: Record<string, T>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, map(value)]));
}

/** Who leases a job. */
export function holderOf({ held }: Snapshot, id: string): string | undefined {
  return Object.keys(held).find((worker) => held[worker]!.includes(id));
}

/** Every place each id was found in, over all shards. */
export function places(shards: readonly Snapshot[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const note = (place: string, ids: readonly string[]): void => {
    for (const id of ids) found.set(id, [...(found.get(id) ?? []), place]);
  };
  shards.forEach((shard, index) => {
    for (const [line, ids] of Object.entries(shard.lines)) note(`${index}/wait:${line}`, ids);
    for (const [worker, ids] of Object.entries(shard.held)) note(`${index}/lease:${worker}`, ids);
    note(`${index}/delayed`, Object.keys(shard.delayed));
    note(`${index}/failed`, shard.failed);
    note(`${index}/done`, shard.done);
  });
  return found;
}
