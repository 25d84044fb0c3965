/**
 * The development secret in a data directory, and the reset of the directory.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../../base/config.ts';
import { lockDataDir } from './lock.ts';

/** Removes only the engines' files. @throws if a live process uses the directory, or it holds only foreign files. */
export async function resetData({ dataDir }: Pick<Config, 'dataDir'>): Promise<void> {
  if (!existsSync(dataDir)) return;
  const names = readdirSync(dataDir);
  const ours = names.filter((name) => OURS.test(name));
  if (ours.length === 0 && names.length > 0) {
    throw new Error(
      `${path.resolve(dataDir)} does not look like a data directory of the embedded engines: nothing was removed.`,
    );
  }
  const lock = await lockDataDir(dataDir);
  for (const name of ours) rmSync(path.join(dataDir, name), { recursive: true, force: true });
  lock.release();
}

/** Engine folders, logs and drafts; the secret; the lock. */
const OURS = /^(postgres|redis|clickhouse|vectors|demo|jwt-secret|engines\.json)([.-].*)?$/;

/** The development secret, created once so that tokens survive a restart. */
export function keptSecret(dataDir: string): string {
  const file = path.join(dataDir, 'jwt-secret');
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, randomSecret(), { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (error) {
      // Another process won the race; its secret counts.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(file, 'utf8');
}

export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
