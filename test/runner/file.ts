/**
 * One test file in a process of its own.
 */
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { packagePath } from '../../package-path.ts';
import type { Told } from './events.ts';
import { compiled } from './files.ts';
import type { FileResult } from './report.ts';

export interface FileOptions {
  /** What the file finds in its environment, beside that of this process. */
  env: NodeJS.ProcessEnv;
  /** What takes longer has hung, in milliseconds. */
  hangMs: number;
  /** Only tests outside of others whose names contain this. */
  name?: string | undefined;
}

/** An ended file is given so long to end what it has started, in milliseconds. */
const GRACE_MS = 10_000;

/** @param toldFile takes what its tests tell, and is removed. */
export async function runFile(
  { env, hangMs, name }: FileOptions,
  file: string,
  toldFile: string,
  signal: AbortSignal,
): Promise<FileResult> {
  const reporter = packagePath('dist', 'test', 'runner', 'events.js');
  const options = [`--test-reporter=${reporter}`, `--test-reporter-destination=${toldFile}`];
  if (name !== undefined) options.push(`--test-name-pattern=${literally(name)}`);
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...options, compiled(file)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  const timers: NodeJS.Timeout[] = [];
  let hung = false;
  const end = (): void => {
    child.kill('SIGTERM');
    timers.push(setTimeout(() => child.kill('SIGKILL'), GRACE_MS));
  };
  timers.push(
    setTimeout(() => {
      hung = true;
      end();
    }, hangMs),
  );
  signal.addEventListener('abort', end, { once: true });
  const ended = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, by) => resolve(by ?? code ?? 1));
  });
  signal.removeEventListener('abort', end);
  for (const timer of timers) clearTimeout(timer);
  const told = await readTold(toldFile);
  const durationMs = performance.now() - startedMs;
  return { file, told, output: chunks.join(''), ended, hung, durationMs };
}

async function readTold(file: string): Promise<Told[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  await rm(file, { force: true });
  // A killed file may have written half a line.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Told);
}

const literally = (text: string): string =>
  text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
