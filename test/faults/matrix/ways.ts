/**
 * The ways of an accepted job to a worker.
 */
import { randomUUID } from 'node:crypto';
import type { GatedProcess } from '../stage/processes.ts';
import { Producer } from '../stage/producer.ts';
import { enqueued, inboxFilled } from '../stage/queue-state.ts';
import type { Stage } from '../stage/stage.ts';
import type { Passage } from '../gate/passage.ts';
import type { Unit, Watch } from '../gate/watch.ts';

/**
 * `handed over`: a worker waits for it; `in its inbox`: it is handed over, and the worker has yet to read that; `in line`: no
 * worker has room when it comes; `not dispatched`: the queue does not take it from the API, and the scheduler finds it; `in a group`: it is
 * a member of a group.
 */
export type Way = (typeof WAYS)[number];

export const WAYS = [
  'handed over',
  'in line',
  'in its inbox',
  'not dispatched',
  'in a group',
] as const;

/** What only a member of a graph has, commits included. */
const GRAPH_UNITS = /ai\.(graph|advance)|api\/pg:COMMIT|worker\/pg:COMMIT#2/;

/** Whether a unit belongs to a way and to no other. */
export function isOf(way: Way, { role, label }: Pick<Unit, 'role' | 'label'>): boolean {
  switch (way) {
    case 'handed over':
      return role !== 'scheduler';
    case 'in line':
      return label.includes(':step(claim)');
    case 'in its inbox':
      return label.includes(':inbox');
    case 'in a group':
      return GRAPH_UNITS.test(label);
    case 'not dispatched':
      // It looks again after two leases, should the job not have ended by then.
      return role === 'scheduler' && label.endsWith('#1');
  }
}

/** @returns a producer whose requests make a job that goes that way. */
export function producerOf(way: Way, stage: Stage, practice: string): Producer {
  return new Producer(stage, practice, randomUUID(), way === 'in a group');
}

/** Asks for the work, and sees to it that the job goes that way. @returns the task's id, if there was a 202. */
export async function send(
  way: Way,
  stage: Stage,
  watch: Watch,
  producer: Producer,
): Promise<string | undefined> {
  const worker = stage.serving('worker');
  switch (way) {
    case 'handed over':
    case 'in a group':
      return producer.ask();
    case 'in line':
      return sendIntoLine(stage, worker, producer);
    case 'in its inbox':
      return sendIntoInbox(stage, watch, worker, producer);
    case 'not dispatched':
      watch.intercept = ({ role }, _, { name }) =>
        role === 'api' && name === 'enqueue' ? (passage) => passage.refuse() : undefined;
      return producer.ask();
  }
}

async function sendIntoLine(
  stage: Stage,
  worker: GatedProcess,
  producer: Producer,
): Promise<string | undefined> {
  await stage.serve(worker, false);
  const id = await producer.ask();
  if (id !== undefined) await enqueued(stage.stores.redis, id);
  // It may be killed before it can answer.
  stage.serve(worker, true).catch(() => undefined);
  return id;
}

/** Holds the next read of the inbox until the job lies there. */
async function sendIntoInbox(
  stage: Stage,
  watch: Watch,
  worker: GatedProcess,
  producer: Producer,
): Promise<string | undefined> {
  const held = new Promise<Passage>((resolve) => {
    watch.intercept = ({ pid }, _, { name }) =>
      pid === worker.pid && name === 'BLMPOP' ? resolve : undefined;
  });
  // A command ends the read that is under way.
  stage.ask(worker, 'ping', {}).catch(() => undefined);
  const passage = await held;
  watch.intercept = undefined;
  const id = await producer.ask();
  await inboxFilled(stage.stores.redis, worker.workerId!);
  watch.strike(watch.note(worker, 'redis', 'inbox', 'request', true), passage);
  return id;
}
