/**
 * A measured process: `node side.js ours|bullmq`. Lives for all rounds of a row, so that its code is compiled and its
 * heap is its own; ends when its parent does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bullmq } from '../peers/bullmq.ts';
import { ours } from '../peers/ours.ts';
import {
  makePayload,
  monotonicMs,
  type Consumer,
  type Place,
  type Producer,
} from '../peers/peer.ts';
import type { Finished, QueueCommands, Span } from './commands.ts';
import { serve } from './serve.ts';

const peer = { ours, bullmq }[process.argv[2] as 'ours' | 'bullmq'];
/** Where times in payloads do not matter, none is made: the sides alone are to be measured. */
const PAYLOAD = makePayload();
let listening: { consumer: Consumer; waitsMs: number[] } | undefined;

serve<QueueCommands>({
  add: (args) =>
    producing(args, async (producer) => {
      let left = args.jobs;
      const addAll = async (): Promise<void> => {
        while (left-- > 0) await producer.add(PAYLOAD);
      };
      await Promise.all(Array.from({ length: args.inFlight }, addAll));
    }),

  addBulk: (args) =>
    producing(args, async (producer) => {
      for (let left = args.jobs; left > 0; left -= args.batch) {
        const length = Math.min(left, args.batch);
        await producer.addBulk(
          Array.from({ length }, () => PAYLOAD),
          args.delayMs,
        );
      }
    }),

  addPaced: (args) =>
    producing(args, async (producer) => {
      const added: Promise<unknown>[] = [];
      const firstMs = monotonicMs();
      for (let i = 0; i < args.jobs; i++) {
        const dueMs = firstMs + (i * 1000) / args.perSecond;
        await sleep(Math.max(0, dueMs - monotonicMs()));
        added.push(producer.add(makePayload(monotonicMs())));
      }
      await Promise.all(added);
    }),

  addDelayed: (args) =>
    producing(args, async (producer) => {
      const firstMs = monotonicMs() + args.leadMs;
      for (let i = 0; i < args.jobs; i++) {
        const nowMs = monotonicMs();
        const delayMs = Math.max(1, Math.round(firstMs + (i * 1000) / args.perSecond - nowMs));
        await producer.add(makePayload(nowMs + delayMs), delayMs);
      }
    }),

  async drain(args) {
    let startMs = 0;
    const consumer = await peer.openConsumer(args, {
      concurrency: args.concurrency,
      started: () => (startMs ||= monotonicMs()),
    });
    const end = consumer.settled(args.jobs);
    const cpu = process.cpuUsage();
    await consumer.start();
    const endMs = await end;
    const cpuMs = cpuSince(cpu);
    await consumer.close();
    return { startMs, endMs, cpuMs };
  },

  async drainThreads(args) {
    const consumer = await peer.openThreads(args, args);
    const ends = [consumer.settled(args.warmUp), consumer.settled(args.jobs)] as const;
    await consumer.start();
    const startMs = await ends[0];
    const cpu = process.cpuUsage();
    const endMs = await ends[1];
    const cpuMs = cpuSince(cpu);
    await consumer.close();
    return { startMs, endMs, cpuMs };
  },

  async listen(args) {
    const waitsMs: number[] = [];
    const consumer = await peer.openConsumer(args, {
      concurrency: args.concurrency,
      started: ({ atMs }) => waitsMs.push(monotonicMs() - Number(atMs)),
    });
    await consumer.start();
    listening = { consumer, waitsMs };
  },

  async finish({ jobs }): Promise<Finished> {
    const { consumer, waitsMs } = listening!;
    const endMs = await consumer.settled(jobs);
    await consumer.close();
    return { endMs, waitsMs };
  },
});

/** Connecting and closing are not measured. */
async function producing(place: Place, work: (producer: Producer) => Promise<void>): Promise<Span> {
  const producer = await peer.openProducer(place);
  const cpu = process.cpuUsage();
  const startMs = monotonicMs();
  await work(producer);
  const endMs = monotonicMs();
  const cpuMs = cpuSince(cpu);
  await producer.close();
  return { startMs, endMs, cpuMs };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
