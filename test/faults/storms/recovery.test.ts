/**
 * How long it takes until a job whose process was killed runs again.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { Producer } from '../../../jobs/queue/index.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { HANG_MS, stretched } from '../../support/patience.ts';
import { transientStormTask } from '../../support/threads/storm-tasks.ts';
import { chance, report, sizesOf } from '../experiment.ts';
import { readLines, type Line } from './work/ledger.ts';
import { openStageOnSharedStores, type Stage, type StormWorker } from './stage.ts';

const SIZES = sizesOf('recovery', { kills: { ci: 5, full: 100 } });
const LEASE_MS = stretched(2000);
/** A job runs again after a lease and what the reaper and the claim take; this many leases are no longer that. */
const MOST_LEASES = 4;
const QUEUE = { queue: 'default' };
/** Long enough to be killed in, whenever that is. */
const WORK_MS = HANG_MS;

const { integer } = chance();

test('recovery after a kill', async (t) => {
  const stage = await openStageOnSharedStores(t, { leaseMs: LEASE_MS, replaces: false });
  const survivor = stage.startWorker();
  await survivor.ready;
  const id = await idOf(stage, survivor);
  const command = (verb: string, args: object) =>
    stage.control.broadcast(verb, args, { timeoutMs: HANG_MS, workers: [id] });
  // A suspect runs on a thread by itself, as isolated jobs do: a cold one takes a second to start, whatever the lease.
  const warm = stage.client.result(await addIsolated(stage), { result: Type.Unknown() });
  await eventually('its thread is warm', async () => (await warm.status()).status === 'done');
  const tookMs: number[] = [];
  const violations: string[] = [];
  for (let kill = 0; kill < SIZES.kills; kill++) {
    await command('cancel_consumer', QUEUE);
    const victim = stage.startWorker();
    await victim.ready;
    const { id: jobId } = await stage.client.delay(transientStormTask, {
      file: stage.file,
      ms: WORK_MS,
      failures: 0,
      ends: '',
    });
    await eventually('the victim has it', () => begun(stage, jobId).length === 1);
    await command('add_consumer', QUEUE);
    // At any time between two heartbeats.
    await sleep(integer(LEASE_MS / 3));
    const killedMs = Date.now();
    victim.run.child.kill('SIGKILL');
    await eventually('it runs again', () => begun(stage, jobId).length === 2);
    tookMs.push(begun(stage, jobId)[1]!.atMs - killedMs);
    await stage.client.revoke(jobId);
  }
  const leases = tookMs.map((ms) => ms / LEASE_MS).toSorted((a, b) => a - b);
  const p99 = leases[Math.ceil(leases.length * 0.99) - 1]!;
  if (leases.at(-1)! > MOST_LEASES) violations.push(`${leases.at(-1)} leases at most`);
  report(t, {
    figure: `a job of a killed process runs again, ${SIZES.kills} x, with a lease of ${LEASE_MS} ms, on a warm thread`,
    result: `after ${leases[Math.floor(leases.length / 2)]!.toFixed(2)} leases (median), p99 ${p99.toFixed(2)}, ${leases.at(-1)!.toFixed(2)} at most`,
    violations,
  });
});

async function addIsolated({ broker }: Stage): Promise<string> {
  const job = { id: randomUUID(), task: 'test.hermit', queue: 'default', payload: '{"ms":0}' };
  await new Producer(broker).enqueue(job);
  return job.id;
}

const begun = ({ file }: Stage, id: string): Line[] =>
  readLines(file).filter((line) => line.what === 'begun' && line.id === id);

/** Which worker of the queue a process is. */
async function idOf({ control }: Stage, { pid }: StormWorker): Promise<string> {
  const answers = await control.broadcast('ping', {}, { timeoutMs: HANG_MS });
  return answers.find((answer) => JSON.stringify(answer).includes(`"pid":${pid}`))!.worker;
}
