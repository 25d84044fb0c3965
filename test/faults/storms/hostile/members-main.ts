/**
 * Honest members in a thread of their own, so that the times they measure are those of the server: each reads its cards, and asks for
 * feedback on every eighth turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createPool } from '../../../../db/stores/postgres.ts';
import { HttpClient } from '../../../support/app/http.ts';
import { insertTellingPractice } from '../../../support/domain/practices.ts';

export interface Member {
  id: number;
  authorization: string;
}

export interface Members {
  origin: string;
  databaseUrl: string;
  members: readonly Member[];
}

/** Sent for every `Order`: what was measured since the last one. */
export interface Times {
  /** In milliseconds. */
  reads: number[];
  /** From the request to the stored feedback, in milliseconds. */
  feedback: number[];
  /** Accepted requests for feedback. */
  asked: number;
  failures: string[];
}

export interface Order {
  /** Whether the members stop, each after its request. */
  isLast: boolean;
}

/** Pause of a member between two requests, in milliseconds. */
const PAUSE_MS = 400;

const { origin, databaseUrl, members } = workerData as Members;
const client = new HttpClient(origin, members.length);
const db = createPool(databaseUrl, { max: 4, name: 'members' });
let times = noTimes();
let isOver = false;

function noTimes(): Times {
  return { reads: [], feedback: [], asked: 0, failures: [] };
}

async function live({ id, authorization }: Member, turn: number): Promise<void> {
  const call = (method: string, path: string) =>
    client.send({ method, path, headers: { authorization } });
  await sleep((turn * PAUSE_MS) / members.length);
  for (let n = turn; !isOver; n++) {
    if (n % 8 === 0) await ask(await insertTellingPractice(db, id), call);
    else await read(call);
    await sleep(PAUSE_MS);
  }
}

type Call = (method: string, path: string) => ReturnType<HttpClient['send']>;

async function read(call: Call): Promise<void> {
  const startedMs = performance.now();
  const { status } = await call('GET', '/users/me/recommendations?limit=20');
  times.reads.push(performance.now() - startedMs);
  if (status !== 200) times.failures.push(`cards: ${status}`);
}

async function ask(practice: string, call: Call): Promise<void> {
  const startedMs = performance.now();
  const { status, body } = await call('POST', `/practices/${practice}/feedback`);
  if (status !== 202) return void times.failures.push(`feedback: ${status}`);
  times.asked++;
  const { task_id: id } = JSON.parse(body.toString()) as { task_id: string };
  const task = await call('GET', `/tasks/${id}?wait=20`);
  times.feedback.push(performance.now() - startedMs);
  const { status: end } = JSON.parse(task.body.toString()) as { status: string };
  if (end !== 'done') times.failures.push(`a task ended as ${end}`);
}

const lives = members.map(live);
parentPort!.on('message', ({ isLast }: Order) => void tell(isLast));

async function tell(isLast: boolean): Promise<void> {
  isOver = isLast;
  if (isLast) {
    await Promise.all(lives);
    client.close();
    await db.end();
  }
  parentPort!.postMessage(times);
  times = noTimes();
  if (isLast) parentPort!.close();
}
