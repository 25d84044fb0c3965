/**
 * The lock of a data directory: `<dataDir>/engines.json` names the owning process and the URLs of its engines.
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

export type EngineUrls = Readonly<Record<string, string>>;

interface State {
  owner: ProcessMark;
  /** The processes to end if the owner died without stopping them. */
  engines: Leftover[];
  /** Absent while the engines start. */
  urls?: EngineUrls;
}

export interface Lock {
  /** Records the URLs for other processes, and the processes to end if this one dies. */
  publish(urls: EngineUrls, engines: readonly Leftover[]): void;
  release(): void;
}

const PATIENCE_MS = 8000;

/** Ends a dead owner's engines. @throws if a live process (even this one) holds the lock, or the folder is not writable. */
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

/** The URLs of the live owner's engines; undefined without an owner, or while its engines start. */
export function findRunning(dataDir: string): EngineUrls | undefined {
  const state = read(lockFile(dataDir));
  return state !== undefined && isRunning(state.owner) ? state.urls : undefined;
}

function lockFile(dataDir: string): string {
  return path.resolve(dataDir, 'engines.json');
}

/** Creates the file atomically, so that a reader never sees half of it. @returns false if it exists. */
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
  // The Postgres URL contains a password.
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
  return draft;
}

/**
 * Moves the lock of a dead owner aside and returns the processes it left running. Checks the owner again after the move,
 * because another process may have taken the lock over meanwhile; that lock is put back.
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
