/**
 * What one shard must hold after each move.
 */
import assert from 'node:assert/strict';
import type { StepCall, StepReply } from '../../../../jobs/queue/broker/step.ts';
import { Lines, same } from '../lines.ts';
import { LATER_MS, type Ending } from './puppet.ts';
import type { Snapshot } from '../snapshot.ts';

export class ShardModel extends Lines {
  /** Registered workers and when they are silent for too long. */
  readonly deadlines = new Map<string, number>();
  readonly counts = new Map<string, string>();
  readonly failed = new Set<string>();
  /** Ended ids that are remembered, with the kind of their record. */
  readonly done = new Map<string, string>();
  readonly #passedOver = new Map<string, number>();
  /** What a round takes from the lines, and what it says of itself. */
  claim(call: StepCall, { claimed, more }: StepReply, now: Snapshot): void {
    const { worker, queues, seq, free, known } = call;
    const want = free - Math.max(0, this.heldBy(worker).size - known);
    const isAgeing = seq % 16 === 0;
    const popped = this.#pop(queues, isAgeing, now);
    const count = [...popped.values()].flat().length;
    const left = (queue: string): boolean =>
      !this.setting.paused.has(queue) && this.waits(queue).length > 0;
    assert.ok(count <= Math.max(0, want), `${count} were taken, ${want} were wanted`);
    const halves = queues.filter((queue) => popped.get(queue)!.length > 0 && left(queue));
    assert.ok(halves.length <= 1, 'one queue after the other');
    if (count < want) same(queues.filter(left), [], 'all is taken while there is room');
    if (!more) assert.ok(want <= 0 || !queues.some(left), 'it is told that more is waiting');
    this.#take(
      worker,
      claimed.map(({ id }) => id),
      popped,
    );
    if (!isAgeing) this.#assertTurns(worker, queues, popped, want, left);
    this.free.delete(worker);
    if (!more && want > claimed.length) this.free.set(worker, want - claimed.length);
  }

  /** The worker is no longer what it was: its turns are counted anew. */
  forgetTurns(worker: string): void {
    for (const key of this.#passedOver.keys()) {
      if (key.startsWith(worker)) this.#passedOver.delete(key);
    }
  }

  register(worker: string, leaseMs: number): void {
    this.held.set(worker, this.heldBy(worker));
    this.deadlines.set(worker, this.setting.nowMs + leaseMs);
  }

  remove(worker: string): string[] {
    const ids = [...this.heldBy(worker)];
    for (const map of [this.held, this.free, this.deadlines]) map.delete(worker);
    this.forgetTurns(worker);
    return ids;
  }

  /** Ends leases in the order a round does. */
  end(
    worker: string,
    ends: readonly (readonly [string, Ending])[],
    now: Snapshot,
    claimed: readonly string[],
  ): void {
    for (const [id, ending] of ends) {
      this.heldBy(worker).delete(id);
      if (ending === 'succeeded') this.done.set(id, 'r1');
      if (ending === 'failed') this.failed.add(id);
      if (ending === 'succeeded' || ending === 'failed') this.counts.delete(id);
      if (ending === 'charged') this.counts.set(id, '1:0:');
    }
    const back = ends.filter(([, ending]) => ['back', 'charged', 'later'].includes(ending));
    if (back.length > 0) this.free.delete(worker);
    for (const [id, ending] of back.toReversed()) {
      if (ending === 'later') this.delayed.set(id, this.setting.nowMs + LATER_MS);
      else this.place(id, 'head', now, claimed);
    }
  }

  /** What a dead worker had started is suspect; what lay in its inbox is not. */
  charge(worker: string): void {
    const inbox = this.last.inbox[worker] ?? [];
    const fresh = new Set(
      inbox.filter((one) => one.startsWith('j')).map((one) => one.slice(1, 37)),
    );
    for (const id of this.heldBy(worker)) {
      const [attempts] = (this.counts.get(id) ?? '0').split(':');
      if (!fresh.has(id)) this.counts.set(id, `${attempts}:0:s`);
      this.setting.seen.add(fresh.has(id) ? 'reaped unstarted' : 'reaped started');
    }
  }

  /** Who is told to look need not be idle until it has looked. */
  rouse({ free, inbox }: Snapshot): void {
    for (const worker of this.free.keys()) {
      if (free[worker] === undefined && inbox[worker]?.includes('c')) this.free.delete(worker);
    }
  }

  /** @returns what is answered. */
  revoke(id: string): string {
    if (this.failed.has(id) || this.done.has(id) || this.revoked.has(id)) return 'ended';
    const line = this.line(id).includes(id);
    if (line) this.revoked.add(id);
    else this.done.set(id, 'x1');
    this.delayed.delete(id);
    for (const ids of this.held.values()) ids.delete(id);
    this.counts.delete(id);
    this.setting.seen.add(line ? 'revoked in line' : 'revoked elsewhere');
    return 'revoked';
  }

  /** Forgets a queue, or the dead letters. @returns how many. */
  purge(queue: string | null): number {
    const ids = [...this.failed];
    if (queue !== null) {
      ids.length = 0;
      for (let i = 0; i < 10; i++) ids.push(...this.lineOf(`${queue}:${i}`).splice(0));
    }
    for (const id of ids) {
      this.counts.delete(id);
      this.failed.delete(id);
      if (this.revoked.delete(id)) this.done.set(id, 'x1');
      else this.jobs.delete(id);
    }
    if (ids.length > 0) this.setting.seen.add('purged');
    return ids.length;
  }

  /** What left the lines, by queue in the order it must have left. */
  #pop(queues: readonly string[], isAgeing: boolean, now: Snapshot): Map<string, string[]> {
    const popped = new Map(queues.map((queue) => [queue, [] as string[]]));
    const open = new Map<string, string>();
    for (let rank = 0; rank < 10; rank++) {
      for (const queue of this.setting.queues) {
        const name = `${queue}:${isAgeing ? rank : 9 - rank}`;
        const line = this.lineOf(name);
        const rest = now.lines[name] ?? [];
        const taken = line.splice(0, Math.max(0, line.length - rest.length));
        same(rest, line, `${name} loses only its first`);
        if (taken.length > 0) {
          assert.ok(queues.includes(queue), `${queue} is not of this worker`);
          assert.ok(!this.setting.paused.has(queue), `${queue} is paused`);
          assert.equal(open.get(queue), undefined, `${name} was served before ${open.get(queue)}`);
        }
        popped.get(queue)?.push(...taken);
        if (rest.length > 0) open.set(queue, open.get(queue) ?? name);
      }
    }
    return popped;
  }

  #take(worker: string, claimed: readonly string[], popped: ReadonlyMap<string, string[]>): void {
    for (const id of [...popped.values()].flat().filter((one) => this.revoked.delete(one))) {
      this.done.set(id, 'x1');
      this.setting.seen.add('dropped from line');
    }
    const order = new Set(claimed.map((id) => this.jobs.get(id)!.queue));
    const runnable = [...popped].map(([queue, ids]) => ({
      queue,
      ids: ids.filter((id) => !this.done.has(id)),
    }));
    const first = [...order].flatMap((queue) => runnable.find((one) => one.queue === queue)!.ids);
    same(claimed, first, 'claims are in order');
    same(claimed.length, runnable.flatMap(({ ids }) => ids).length, 'all that was taken is given');
    for (const id of claimed) this.heldBy(worker).add(id);
  }

  /** Of n queues each is the first of n rounds in turn, so none that waits is passed over n times. */
  #assertTurns(
    worker: string,
    queues: readonly string[],
    popped: ReadonlyMap<string, string[]>,
    want: number,
    left: (queue: string) => boolean,
  ): void {
    if (want <= 0) return this.forgetTurns(worker);
    for (const queue of queues) {
      const key = `${worker} ${queue}`;
      const isPassedOver = popped.get(queue)!.length === 0 && left(queue);
      const times = isPassedOver ? (this.#passedOver.get(key) ?? 0) + 1 : 0;
      this.#passedOver.set(key, times);
      assert.ok(times < queues.length, `${queue} was passed over ${times} times`);
    }
  }
}
