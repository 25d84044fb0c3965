/**
 * What runs in one process. A file has one of its own, unless it is small and shares nothing: to start a process takes as long
 * as most small files.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../package-path.ts';
import type { Durations } from './files.ts';

export interface Unit {
  files: readonly string[];
  /** As it took last, in milliseconds; undefined when one of the files has never run. */
  expectedMs: number | undefined;
}

/** Hooks of the whole process: what they make is one thing for every file that runs in it. */
const HOOKS = /^(before|after|beforeEach|afterEach)\(/m;
/** The same in a test, and what else outlives it. */
const SHARES =
  /^(before|after|beforeEach|afterEach)\(|process\.(env|argv|on|exit|stdout)|mock\.timers|setFlags/m;
/** Rooms whose files start processes and threads, or take long. */
const LARGE = /^test\/(app|bench|examples|faults|house|workers)\//;
/** Most files in one process. */
const MOST_FILES = 8;
/** A file that took longer runs alone, in milliseconds. */
const SMALL_MS = 4000;

/** @returns the longest unit first, so that none of them is left to run alone at the end; those that never ran come before. */
export function unitsOf(files: readonly string[], durations: Durations): Unit[] {
  const units: string[][] = [];
  const open = new Map<string, string[]>();
  for (const file of files) {
    if (!isSmall(file, durations)) {
      units.push([file]);
      continue;
    }
    const room = path.dirname(file);
    let unit = open.get(room);
    if (unit === undefined || unit.length === MOST_FILES) {
      open.set(room, (unit = []));
      units.push(unit);
    }
    unit.push(file);
  }
  const rank = ({ expectedMs = Infinity }: Unit): number => expectedMs;
  return units
    .map((unit) => ({ files: unit, expectedMs: expected(unit, durations) }))
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}

function isSmall(file: string, durations: Durations): boolean {
  const isQuick = (durations[file] ?? 0) < SMALL_MS;
  return isQuick && !LARGE.test(file) && !shares(file);
}

/** Whether a test file, or one of the tests' own that it imports, does something for the whole process. */
function shares(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  const source = readFileSync(packagePath(file), 'utf8');
  const isTest = file.endsWith('.test.ts');
  if (isTest ? SHARES.test(source) : HOOKS.test(source)) return true;
  const imports = [...source.matchAll(/from '(\.{1,2}\/[^']+)'/g)].map(([, to]) =>
    path.join(path.dirname(file), to!),
  );
  return imports.some((imported) => imported.startsWith('test/') && shares(imported, seen));
}

function expected(unit: readonly string[], durations: Durations): number | undefined {
  const known = unit.map((file) => durations[file]);
  return known.includes(undefined) ? undefined : known.reduce<number>((sum, ms) => sum + ms!, 0);
}
