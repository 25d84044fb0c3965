/**
 * A hostile member in a thread of its own: acts on every connection, as fast as the server answers, until it is told to stop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { HttpClient } from '../../../support/app/http.ts';
import { chance } from '../../experiment.ts';
import { hostileActs } from './acts.ts';

export interface HostileMember {
  origin: string;
  authorization: string;
  /** External ids of the member's practices that get feedback. */
  practices: readonly string[];
  connections: number;
  seed: number;
}

/** How many answers there were of each status. */
export type Answers = ReadonlyMap<number, number>;

const { origin, authorization, practices, connections, seed } = workerData as HostileMember;
const client = new HttpClient(origin, connections);
const acts = hostileActs(client, authorization, practices);
const { integer } = chance(seed);
const answers = new Map<number, number>();
let isOver = false;
parentPort!.once('message', () => (isOver = true));

async function attack(): Promise<void> {
  for (let n = integer(acts.length * 1000); !isOver; n++) {
    const status = await acts[n % acts.length]!(n);
    answers.set(status, (answers.get(status) ?? 0) + 1);
  }
}

await Promise.all(Array.from({ length: connections }, attack));
client.close();
parentPort!.postMessage(answers satisfies Answers);
