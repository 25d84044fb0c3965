/**
 * What runs in one process. A file has one of its own unless it is small: to start a process takes as long as most small files.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../base/package-path.ts';
import type { Durations } from './files.ts';

export interface Unit {
  files: readonly string[];
  /** As it took last, in milliseconds; undefined when one of the files has never run. */
  expectedMs: number | undefined;
}

/** What a test does to the whole process. */
const SHARES = /process\.(env|argv|on|exit|stdout)|mock\.timers|setFlags/m;
/** A module of the tests' own with hooks serves the file that loads it first, so that no two of a process may. */
const HOOKS = /^(before|after|beforeEach|afterEach)\(/m;
/** Rooms whose files start processes and threads, or take long. */
const LARGE = /^test\/(app|bench|cli|examples|faults|house|workers)\//;
/** Most files in one process, and the longest they may take together, in milliseconds. */
const MOST = { files: 8, ms: 20_000 };
/** A file that took longer runs alone, in milliseconds. */
const SMALL_MS = 8000;

interface Open {
  files: string[];
  ms: number;
  helpers: Set<string>;
}

/** @returns the longest unit first, so that none of them is left to run alone at the end; those that never ran come before. */
export function unitsOf(files: readonly string[], durations: Durations): Unit[] {
  const units: string[][] = [];
  const open: Open[] = [];
  for (const file of files) {
    const ms = durations[file] ?? 0;
    if (ms > SMALL_MS || LARGE.test(file) || SHARES.test(sourceOf(file))) {
      units.push([file]);
      continue;
    }
    const helpers = helpersWithHooks(file);
    const fits = (unit: Open): boolean =>
      unit.files.length < MOST.files &&
      unit.ms + ms <= MOST.ms &&
      [...helpers].every((helper) => !unit.helpers.has(helper));
    let unit = open.find(fits);
    if (unit === undefined) {
      open.push((unit = { files: [], ms: 0, helpers: new Set() }));
      units.push(unit.files);
    }
    unit.files.push(file);
    unit.ms += ms;
    for (const helper of helpers) unit.helpers.add(helper);
  }
  const rank = ({ expectedMs = Infinity }: Unit): number => expectedMs;
  return units
    .map((unit) => ({ files: unit, expectedMs: expected(unit, durations) }))
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}

const sourceOf = (file: string): string => readFileSync(packagePath(file), 'utf8');

/** Modules of the tests' own that a test file imports and that have hooks. */
function helpersWithHooks(file: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  for (const [, to] of sourceOf(file).matchAll(/from '(\.{1,2}\/[^']+)'/g)) {
    const imported = path.join(path.dirname(file), to!);
    if (!imported.startsWith('test/') || seen.has(imported)) continue;
    seen.add(imported);
    if (HOOKS.test(sourceOf(imported))) found.add(imported);
    for (const helper of helpersWithHooks(imported, seen)) found.add(helper);
  }
  return found;
}

function expected(unit: readonly string[], durations: Durations): number | undefined {
  const known = unit.map((file) => durations[file]);
  return known.includes(undefined) ? undefined : known.reduce<number>((sum, ms) => sum + ms!, 0);
}
