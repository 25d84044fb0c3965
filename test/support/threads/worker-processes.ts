/**
 * Starts worker processes for a test and makes sure none outlives it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { packagePath } from '../../../base/package-path.ts';
import { atEnd } from '../at-end.ts';
import { endWithTest, forget } from '../queue/survivors.ts';
import type { WorkerMessage, WorkerOptions } from '../queue/worker.ts';

export interface WorkerProcess {
  /** Its id in the queue. */
  id: string;
  /** Ids it started, if it talks. */
  started: string[];
  lost: string[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves once it is gone. */
  exited: Promise<unknown>;
  /** Resolves when the condition holds, looked at after every message. */
  until(condition: () => boolean): Promise<void>;
}

/** A file for what workers write, removed after the test. */
export function workerLog(t: TestContext): { file: string; lines(): string[] } {
  const folder = mkdtempSync(path.join(tmpdir(), 'daodao-workers-'));
  const file = path.join(folder, 'log');
  writeFileSync(file, '');
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return { file, lines: () => readFileSync(file, 'utf8').split('\n').filter(Boolean) };
}

/** Runs a program of test/support, told its options. It is killed at the end of the test at the latest. */
export function forkProgram(
  t: TestContext,
  name: string,
  options: object,
): { child: ChildProcess; exited: Promise<void> } {
  const program = packagePath('dist', 'test', 'support', `${name}.js`);
  const child = fork(program, [JSON.stringify(options)]);
  endWithTest(child.pid!);
  const exited = once(child, 'exit').then(() => forget(child.pid!));
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, exited };
}

export async function startWorker(t: TestContext, options: WorkerOptions): Promise<WorkerProcess> {
  const { child, exited } = forkProgram(t, 'queue/worker', options);
  const ready = await firstMessage(child);
  const worker: WorkerProcess = {
    id: 'ready' in ready ? ready.ready : '',
    started: [],
    lost: [],
    kill: (signal) => void child.kill(signal),
    exited,
    async until(condition) {
      while (!condition()) await once(child, 'message');
    },
  };
  child.on('message', (message: WorkerMessage) => {
    if ('started' in message) worker.started.push(...message.started);
    if ('lost' in message) worker.lost.push(...message.lost);
  });
  return worker;
}

async function firstMessage(child: ChildProcess): Promise<WorkerMessage> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as WorkerMessage));
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code} while starting`)));
  });
}
