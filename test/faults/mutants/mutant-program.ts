/**
 * A copy of the compiled program with some of its text changed. It lies inside this package, where it finds the same
 * dependencies, and is a package itself, so that it reads its own Lua and SQL.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { packagePath } from '../../../base/package-path.ts';
import type { Patch } from './mutants.ts';

/** What a program reads of its package. */
const PARTS = ['package.json', 'dist', 'jobs/queue/lua', 'db/migrations'];

export interface MutantProgram {
  /** Folder of its compiled output. */
  folder: string;
  remove(): Promise<void>;
}

/**
 * @param options.withTests whether its tests are copied too. Default false.
 * @throws when a patch does not fit in exactly one place: then its text is to be brought up to date.
 */
export async function buildMutant(
  patches: readonly Patch[],
  { withTests = false } = {},
): Promise<MutantProgram> {
  const root = packagePath('.data', 'faults', randomUUID());
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    await mkdir(root, { recursive: true });
    const tests = packagePath('dist', 'test');
    for (const part of PARTS) {
      const filter = (source: string): boolean => withTests || source !== tests;
      await cp(packagePath(part), path.join(root, part), { recursive: true, filter });
    }
    for (const { file, from, to } of patches) {
      const target = path.join(root, file);
      const parts = (await readFile(target, 'utf8')).split(from);
      if (parts.length !== 2) {
        throw new Error(`a patch fits ${parts.length - 1} places of ${file}: ${from}`);
      }
      await writeFile(target, parts.join(to));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder: path.join(root, 'dist'), remove };
}
