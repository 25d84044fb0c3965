/**
 * A process that runs test files, most often one.
 */
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { packagePath } from '../../base/package-path.ts';
import type { Told } from './events.ts';
import { compiled } from './files.ts';
import { ANNOUNCES } from './announces.ts';
import type { FileResult } from './report.ts';

export interface UnitOptions {
  /** What the files find in their environment, beside that of this process. */
  env: NodeJS.ProcessEnv;
  /** What takes longer has hung, in milliseconds. */
  hangMs: number;
  /** Only tests outside of others whose names contain this. */
  name?: string | undefined;
}

/** An ended file is given so long to end what it has started, in milliseconds. */
const GRACE_MS = 10_000;

/** @param toldFile takes what the tests tell, and is removed. @returns a result for each file. */
export async function runUnit(
  { env, hangMs, name }: UnitOptions,
  files: readonly string[],
  toldFile: string,
  signal: AbortSignal,
): Promise<FileResult[]> {
  const reporter = packagePath('dist', 'test', 'runner', 'events.js');
  const options = [`--test-reporter=${reporter}`, `--test-reporter-destination=${toldFile}`];
  if (name !== undefined) options.push(`--test-name-pattern=${literally(name)}`);
  const startedMs = performance.now();
  const modules = files.map(compiled);
  const program =
    modules.length === 1 ? modules : [packagePath('dist', 'test', 'runner', 'many.js'), ...modules];
  const child = spawn(process.execPath, [...options, ...program], {
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
  return split(files, { told, output: chunks.join(''), ended, hung, durationMs });
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

/** What a process told, by file. How it ended is laid to the file that was under way. */
function split(files: readonly string[], whole: Omit<FileResult, 'file'>): FileResult[] {
  if (files.length === 1) return [{ file: files[0]!, ...whole }];
  const own = new Map<string, Told[]>(files.map((file) => [file, []]));
  const durations = new Map<string, number>();
  let current = files[0]!;
  for (const told of whole.told) {
    if (told.nesting > 0) own.get(current)!.push({ ...told, nesting: told.nesting - 1 });
    else if (told.text.startsWith(ANNOUNCES)) {
      current = files.find((file) => told.text === `${ANNOUNCES}${compiled(file)}`)!;
      durations.set(current, told.durationMs ?? 0);
      // It could not be loaded, or a hook of the whole file has failed.
      const hasFailed = told.kind === 'fail' && told.isParent !== true;
      if (hasFailed) own.get(current)!.push({ ...told, text: 'the file', isSuite: false });
    }
  }
  const hasFailed = whole.told.some(({ kind, isTodo }) => kind === 'fail' && isTodo !== true);
  return files.map((file) => {
    const isCulprit = file === current && (whole.hung || !hasFailed);
    const end = isCulprit ? whole : { output: '', ended: 0, hung: false };
    return { ...end, file, told: own.get(file)!, durationMs: durations.get(file) ?? 0 };
  });
}
