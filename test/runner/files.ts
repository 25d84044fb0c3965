/**
 * The test files of a run, and how long they took last.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { packagePath } from '../../base/package-path.ts';

/** How long each file took last, in milliseconds, by its path. Beside the build, and as short-lived. */
const DURATIONS = packagePath('dist', 'test-durations.json');

/** The sources of tests, as paths from the package. */
export async function testFiles(isWanted: (file: string) => boolean): Promise<string[]> {
  const sources = await readdir(packagePath('test'), { recursive: true });
  return sources
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => path.join('test', file))
    .filter(isWanted)
    .toSorted();
}

export const compiled = (file: string): string => packagePath('dist', file.replace(/\.ts$/, '.js'));

export type Durations = Readonly<Record<string, number>>;

export async function readDurations(): Promise<Durations> {
  try {
    return JSON.parse(await readFile(DURATIONS, 'utf8')) as Durations;
  } catch {
    // The first run after a clean build.
    return {};
  }
}

export async function writeDurations(durations: Durations): Promise<void> {
  await writeFile(DURATIONS, JSON.stringify(durations));
}
