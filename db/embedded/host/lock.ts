/**
 * One process per data directory: `<dataDir>/engines.json` says which, and where its engines are reached.
 */
import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {
  endProcesses,
  isRunning,
  markProcess,
  type Leftover,
  type ProcessMark,
} from './process.ts';

/** URLs by engine name. */
export type EngineUrls = Readonly<Record<string, string>>;

interface State {
  owner: ProcessMark;
  /** What to end if the owner did not. */
  engines: Leftover[];
  /** Absent while the engines are starting. */
  urls?: EngineUrls;
}

export interface Lock {
  /** Tells others where the engines are, and what to end should this process be unable to. */
  publish(urls: EngineUrls, engines: readonly Leftover[]): void;
  release(): void;
}

/** How long engines of a dead owner may take to end cleanly. */
const PATIENCE_MS = 8000;

/**
 * Takes the directory for this process. Engines of an owner that died are ended first.
 * @throws if another live process (or this one) has it, or it cannot be written to.
 */
export async function lockDataDir(dataDir: string): Promise<Lock> {
  makeUsable(dataDir);
  const file = lockFile(dataDir);
  const owner = markProcess(process.pid);
  if (owner === undefined) throw new Error('this process cannot be told apart from others');
  const leftovers: Leftover[] = [];
  while (!create(file, { owner, engines: [] })) leftovers.push(...takeStale(file, dataDir));
  await endProcesses(leftovers, PATIENCE_MS);
  return {
    publish(urls, engines) {
      const draft = write(file, { owner, engines: [...engines], urls });
      renameSync(draft, file);
    },
    release: () => rmSync(file, { force: true }),
  };
}

function makeUsable(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `The data directory ${path.resolve(dataDir)} cannot be used (${code}): set DATA_DIR to a folder this account may write to.`,
      { cause: error },
    );
  }
}

/** Where the engines of the live process that uses the directory are reached; undefined if none does, or not yet. */
export function findRunning(dataDir: string): EngineUrls | undefined {
  const state = read(lockFile(dataDir));
  return state !== undefined && isRunning(state.owner) ? state.urls : undefined;
}

function lockFile(dataDir: string): string {
  return path.resolve(dataDir, 'engines.json');
}

/** Appears whole or not at all: a reader never sees half a file. */
function create(file: string, state: State): boolean {
  const draft = write(file, state);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft);
  }
}

function write(file: string, state: State): string {
  const draft = `${file}.${process.pid}.new`;
  // It holds the password of the embedded Postgres.
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
  return draft;
}

/**
 * Moves the lock of a dead owner aside and returns what that owner left running. Moved before it is believed to be
 * stale: meanwhile another process may have taken it over, and then it is put back.
 */
function takeStale(file: string, dataDir: string): Leftover[] {
  refuseIfLive(read(file), dataDir);
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const state = read(aside);
  try {
    refuseIfLive(state, dataDir);
  } catch (error) {
    renameSync(aside, file);
    throw error;
  }
  rmSync(aside);
  return state?.engines ?? [];
}

function refuseIfLive(state: State | undefined, dataDir: string): void {
  if (state === undefined || !isRunning(state.owner)) return;
  throw new Error(
    `The data directory ${path.resolve(dataDir)} is used by process ${state.owner.pid}. ` +
      'Stop that one first, or give this one its own DATA_DIR.',
  );
}

function read(file: string): State | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as State;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
