/**
 * Whatever happens to a queue, in whatever order: after each thing every job is where it must be.
 */
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { stretched } from '../../support/patience.ts';
import { ownRedis } from '../../support/stores/own-redis.ts';
import { COMMANDS, QUEUES } from '../../support/queue/model/commands.ts';
import { openWorld, type WorldServer } from '../../support/queue/model/world.ts';
import { report, SEED, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('model', {
  histories: { ci: 100, full: 10_000 },
  /** Most commands in one. */
  commands: { ci: 60, full: 60 },
});
/** Longest search for a failure and for the shortest history that shows it: so long for each history, in milliseconds. */
const LIMIT_MS = stretched(3000);
/** So many times as many histories are tried before an event that never happened fails the run. */
const MOST_MORE = 4;
const WORKERS = 3;

/** What must have happened in all the runs together, lest they prove nothing. */
const EVENTS = [
  'dropped from line',
  'fell back',
  'handed over',
  'left',
  'promoted',
  'purged',
  'reaped started',
  'reaped unstarted',
  'requeued',
  'restarted',
  'revoked elsewhere',
  'revoked in line',
];

const each = { minLength: WORKERS, maxLength: WORKERS };
/** The queues of each worker. */
const serves = fc.array(fc.shuffledSubarray(QUEUES, { minLength: 1 }), each);
/** How far each has counted its rounds. */
const seqs = fc.array(fc.nat(15), each);
const commands = fc.commands(COMMANDS, { size: 'max', maxCommands: SIZES.commands });

/** A Redis that loses nothing when it is killed: what it loses otherwise is for storms. */
async function openServer(t: TestContext): Promise<WorldServer> {
  const own = await ownRedis(t);
  const proxy = await startFlakyProxy(t, own.url);
  const syncAlways = async (): Promise<void> => {
    const redis = new Redis(own.url);
    await redis.config('SET', 'appendfsync', 'always');
    redis.disconnect();
  };
  await syncAlways();
  return {
    url: proxy.url,
    async restart() {
      await own.restart();
      await syncAlways();
      proxy.target = own.url;
      proxy.cut();
    },
  };
}

test('in any history of several queues, shards and workers every job is in the one place it must be', async (t) => {
  const server = await openServer(t);
  const seen = new Set<string>();
  const startedMs = performance.now();
  let ran = 0;
  const history = fc.asyncProperty(serves, seqs, commands, async (served, counted, all) => {
    const world = await openWorld(t, server, QUEUES, served, counted, seen);
    ran++;
    try {
      await fc.asyncModelRun(() => world, all);
    } finally {
      await world.real.close();
    }
  });
  const check = (seed: number) =>
    fc.check(history, {
      seed,
      numRuns: SIZES.histories,
      interruptAfterTimeLimit: SIZES.histories * LIMIT_MS,
    });
  const missing = (): string[] => EVENTS.filter((event) => !seen.has(event));
  let details = await check(SEED);
  // What chance has left out may come in others.
  for (let more = 1; more <= MOST_MORE && !details.failed && missing().length > 0; more++) {
    details = await check(SEED + more);
  }
  const violations = details.failed ? [fc.defaultReportMessage(details) ?? 'failed'] : [];
  const unproven = missing().map((event) => `never happened: ${event}`);
  if (ran < SIZES.histories) unproven.push(`only ${ran} histories were run`);
  report(t, {
    figure: `${SIZES.histories} histories of up to ${SIZES.commands} commands against the model`,
    result: `${ran} run in ${Math.round((performance.now() - startedMs) / 1000)} s`,
    violations,
    unproven,
  });
});
