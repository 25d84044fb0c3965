/**
 * The application started as a newcomer does, on engines of its own in a folder of its own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ProcessMark } from '../../../db/embedded/host/process.ts';
import { run, type Run } from '../app/process.ts';

/**
 * What a process is started with that runs its engines in a data directory of that name: the same name is the same directory.
 * @param after called with what removes all of them.
 */
export function dataDirectories(
  after: (end: () => void) => void,
): (name: string) => { PORT: string; DATA_DIR: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'daodao-processes-'));
  // Postgres runs under an unprivileged account, which must be able to pass through.
  chmodSync(folder, 0o711);
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => ({ PORT: '0', DATA_DIR: path.join(folder, name) });
}

export function enginesOf(dataDir: string): ProcessMark[] {
  const state = readFileSync(path.join(dataDir, 'engines.json'), 'utf8');
  return (JSON.parse(state) as { engines: ProcessMark[] }).engines;
}

/** Processes whose command line names the directory, as that of every engine does. */
export function processesOf(dataDir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
      } catch {
        return false;
      }
    });
}

export async function startMain(t: TestContext, env: Record<string, string>): Promise<Run> {
  const main = run(t, 'main.js', env);
  await main.wrote(/LOG_LEVEL=debug npm start\n/);
  return main;
}

/** The lines a greeting says to paste. */
export function toPaste(main: Run): string[] {
  return [...main.text().matchAll(/^ {2}((?:TOKEN=|TASK=|ADMIN=|curl ).*)$/gm)].map(
    ([, line]) => line!,
  );
}

/** Pastes lines into a shell, all at once. @returns what it prints, by line. */
export function paste(...lines: string[]): string[] {
  const shell = spawnSync('bash', ['-c', lines.join('\n')], { encoding: 'utf8' });
  assert.equal(shell.status, 0, shell.stderr);
  return shell.stdout.trimEnd().split('\n');
}
