/**
 * How fast this machine is now: the deadlines of tests are multiples of it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packagePath } from '../../base/package-path.ts';

/** What the start of a process takes that loads a few packages, on the machine that deadlines are made for, in milliseconds. */
const REFERENCE_MS = 600;
/** Leases that tests wait for are not stretched by more. */
const MOST = 6;
const ROUNDS = 3;
const ABREAST = 2;
const PROBE = `await Promise.all(['typebox', 'fastify', 'ioredis', 'pg'].map((name) => import(name)))`;

export interface Speed {
  startMs: number;
  /** How many times slower than that machine this one is; 1 to `MOST`. */
  slowness: number;
}

export async function measureSpeed(): Promise<Speed> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push(...(await Promise.all(Array.from({ length: ABREAST }, startProcess))));
  }
  // One of the shorter ones: a moment's stall is not the speed of a machine.
  const startMs = times.toSorted((a, b) => a - b)[Math.floor(times.length / 3)]!;
  return { startMs, slowness: Math.min(Math.max(1, startMs / REFERENCE_MS), MOST) };
}

async function startProcess(): Promise<number> {
  const startedMs = performance.now();
  const args = ['--input-type=module', '--eval', PROBE];
  await promisify(execFile)(process.execPath, args, { cwd: packagePath() });
  return performance.now() - startedMs;
}

export function describeSpeed({ startMs, slowness }: Speed): string {
  const times = `they are ${slowness.toFixed(1)} times as long`;
  return `A process start takes ${Math.round(startMs)} ms here, and ${REFERENCE_MS} ms where the deadlines were made: ${times}.`;
}
