/**
 * Whatever happens to a queue, in whatever order: after each thing every job is where it must be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COMMANDS, QUEUES } from '../../support/queue-commands.ts';
import { openWorld } from '../../support/queue-world.ts';

const RUNS = 30;
/** Longest search for a failure and for the shortest history that shows it, in milliseconds. */
const LIMIT_MS = 20_000;
const WORKERS = 3;

/** What must have happened in all the runs together, lest they prove nothing. */
const EVENTS = [
  'dropped from line',
  'handed over',
  'left',
  'promoted',
  'purged',
  'reaped started',
  'reaped unstarted',
  'requeued',
  'revoked elsewhere',
  'revoked in line',
];

const each = { minLength: WORKERS, maxLength: WORKERS };
/** The queues of each worker. */
const serves = fc.array(fc.shuffledSubarray(QUEUES, { minLength: 1 }), each);
/** How far each has counted its rounds. */
const seqs = fc.array(fc.nat(15), each);
const commands = fc.commands(COMMANDS, { size: 'max', maxCommands: 200 });

test('in any history of several queues, shards and workers every job is in the one place it must be', async (t) => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(serves, seqs, commands, async (served, counted, history) => {
      const world = await openWorld(t, QUEUES, served, counted, seen);
      try {
        await fc.asyncModelRun(() => world, history);
      } finally {
        await world.real.close();
      }
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS },
  );
  assert.deepEqual([...seen].toSorted(), EVENTS);
});
