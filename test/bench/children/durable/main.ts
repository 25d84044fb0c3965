/**
 * A measured process that makes or takes durable calls: `node main.js ours|pg-boss|graphile-worker|bullmq`. It lives for all
 * rounds of a row.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bullmqFlows } from '../../peers/durable/bullmq.ts';
import { graphile } from '../../peers/durable/graphile.ts';
import { ours } from '../../peers/durable/ours.ts';
import type { DurableClient, DurablePeer, DurablePeerName } from '../../peers/durable/peer.ts';
import { pgBoss } from '../../peers/durable/pg-boss.ts';
import { makePayload, monotonicMs } from '../../peers/peer.ts';
import { Tally } from '../../peers/tally.ts';
import { serve } from '../serve.ts';
import type { CallSpan, DurableCommands } from './commands.ts';

const PEERS: Record<DurablePeerName, DurablePeer> = {
  ours,
  'pg-boss': pgBoss,
  'graphile-worker': graphile,
  bullmq: bullmqFlows,
};
const peer = PEERS[process.argv[2] as DurablePeerName];
const PAYLOAD = makePayload();
const ended = new Tally();
let awaited = 0;
let client: DurableClient | undefined;

serve<DurableCommands>({
  async openClient(place) {
    client = await peer.openClient(place);
  },

  openWorker: (place) => peer.openWorker(place, ended),

  call: ({ tasks, inFlight }) =>
    timed(async () => {
      let left = tasks;
      const callAll = async (): Promise<void> => {
        while (left-- > 0) await client!.call!(PAYLOAD);
      };
      await Promise.all(Array.from({ length: inFlight }, callAll));
    }),

  callMany: ({ tasks, batch }) =>
    timed(async () => {
      for (let left = tasks; left > 0; left -= batch) {
        await client!.callMany!(Array.from({ length: Math.min(left, batch) }, () => PAYLOAD));
      }
    }),

  chord: ({ members }) => timed(() => client!.chord!(PAYLOAD, members)),

  async follow({ tasks, restMs }) {
    const followed = { acceptMs: [] as number[], endMs: [] as number[] };
    for (let left = tasks; left > 0; left--) {
      await sleep(restMs);
      const startMs = monotonicMs();
      const { acceptedMs, endedMs } = await client!.follow!(PAYLOAD);
      followed.acceptMs.push(acceptedMs - startMs);
      followed.endMs.push(endedMs - acceptedMs);
    }
    return followed;
  },

  async finish({ tasks }) {
    awaited += tasks;
    await ended.reached(awaited);
  },

  async cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
});

async function timed(work: () => Promise<void>): Promise<CallSpan> {
  const startMs = monotonicMs();
  await work();
  return { startMs, endMs: monotonicMs() };
}
