/**
 * Finds redis-server on the PATH or in the cache, or unpacks the distribution's package without root.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RedisBinary {
  command: string;
  version: string;
  env: NodeJS.ProcessEnv;
}

const LEAST_MAJOR_VERSION = 7;

/** @throws with the install command if redis-server is missing and cannot be downloaded. */
export async function findRedis(cacheDir: string, onFetch?: () => void): Promise<RedisBinary> {
  const onPath = await inspect('redis-server', process.env);
  if (onPath !== undefined && isNewEnough(onPath)) return onPath;
  const distribution = await osRelease();
  const folder = path.resolve(cacheDir, `redis-${distribution}-${process.arch}`);
  const cached = await inspectUnpacked(folder);
  if (cached !== undefined) return cached;
  let reason = onPath && `the one on the PATH is ${onPath.version}`;
  if (await hasApt()) {
    onFetch?.();
    try {
      return await fetchPackage(folder);
    } catch (error) {
      reason = `fetching the package failed: ${(error as Error).message.trim()}`;
    }
  }
  throw new Error(
    `The embedded Redis needs redis-server ${LEAST_MAJOR_VERSION} or newer` +
      `${reason === undefined ? '' : ` (${reason})`}. ${installHint(distribution)}, or set REDIS_URL.`,
  );
}

export function installHint(distribution: string, platform = process.platform): string {
  if (platform === 'darwin') return 'Install it with `brew install redis`';
  if (platform === 'win32') return 'Run this under WSL (Redis has no Windows build)';
  if (/^(debian-1[01]|ubuntu-(18|20|22))/.test(distribution))
    return 'The package of this release is older: install Redis 7 from packages.redis.io';
  if (/^(debian|ubuntu)/.test(distribution))
    return 'Install it with `sudo apt-get install redis-server`';
  if (distribution.startsWith('alpine')) return 'Install it with `apk add redis`';
  if (distribution.startsWith('arch')) return 'Install it with `sudo pacman -S redis`';
  if (/^(fedora|rhel|centos|rocky|almalinux|amzn)/.test(distribution))
    return 'Install it with `sudo dnf install redis`';
  return 'Install it with the package manager of this system';
}

/** `debian-12`, `ubuntu-24.04`; the platform if there is no /etc/os-release. */
async function osRelease(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1];
  return [field('ID') ?? process.platform, field('VERSION_ID')].filter(Boolean).join('-');
}

function isNewEnough({ version }: RedisBinary): boolean {
  return Number.parseInt(version, 10) >= LEAST_MAJOR_VERSION;
}

async function inspect(command: string, env: NodeJS.ProcessEnv): Promise<RedisBinary | undefined> {
  try {
    const { stdout } = await run(command, ['--version'], { env });
    const version = /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    return version === undefined ? undefined : { command, version, env };
  } catch {
    return undefined;
  }
}

/** Adds the package's library folders, `usr/lib/<triplet>` and `lib/<triplet>`, to the loader's path. */
async function inspectUnpacked(folder: string): Promise<RedisBinary | undefined> {
  const libraries: string[] = [];
  for (const base of ['usr/lib', 'lib']) {
    const names = await readdir(path.join(folder, base)).catch(() => []);
    for (const name of names)
      if (name.includes('-linux-')) libraries.push(path.join(folder, base, name));
  }
  const inherited = process.env['LD_LIBRARY_PATH'];
  const paths = [...libraries, inherited].filter(Boolean).join(':');
  const env = { ...process.env, LD_LIBRARY_PATH: paths };
  const found = await inspect(path.join(folder, 'usr/bin/redis-server'), env);
  return found !== undefined && isNewEnough(found) ? found : undefined;
}

async function hasApt(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const programs = ['/usr/bin/apt-get', '/usr/bin/dpkg-deb'];
  const found = programs.map((file) => access(file, constants.X_OK));
  return (await Promise.allSettled(found)).every(({ status }) => status === 'fulfilled');
}

/**
 * Downloads redis-server and missing libraries through apt, which checks signatures. Private lists and cache need no root
 * and leave the system unchanged. Two processes may race: the rename fails for the loser, which uses the winner's folder.
 */
async function fetchPackage(folder: string): Promise<RedisBinary> {
  await mkdir(path.dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    const apt = await privateApt(work);
    // An unreachable third-party source fails the update even though the distribution's lists arrived.
    const update = await apt('update', '-o', 'APT::Update::Error-Mode=any').then(
      () => undefined,
      (error: Error) => error,
    );
    const noExtras = ['--yes', '--no-install-recommends', '--download-only'];
    await apt('install', ...noExtras, 'redis-server').catch((error: Error) => {
      throw update ?? error;
    });
    const archives = path.join(work, 'cache/archives');
    const unpacked = path.join(work, 'unpacked');
    for (const name of await readdir(archives)) {
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', path.join(archives, name), unpacked]);
    }
    if ((await inspectUnpacked(unpacked)) === undefined) {
      throw new Error(`the package of this release is no redis-server ${LEAST_MAJOR_VERSION}`);
    }
    await rename(unpacked, folder).catch(async () => {
      if ((await inspectUnpacked(folder)) !== undefined) return;
      await rm(folder, { recursive: true, force: true });
      await rename(unpacked, folder);
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const found = await inspectUnpacked(folder);
  if (found === undefined) throw new Error(`what was unpacked into ${folder} does not run`);
  return found;
}

/** An apt-get that writes only under `work` but reads the system's list of installed packages. */
async function privateApt(work: string): Promise<(...args: string[]) => Promise<unknown>> {
  await mkdir(path.join(work, 'state/lists/partial'), { recursive: true });
  await mkdir(path.join(work, 'cache/archives/partial'), { recursive: true });
  const settings = {
    'Dir::State': path.join(work, 'state'),
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': path.join(work, 'cache'),
    'Debug::NoLocking': 'true',
    'Acquire::http::Timeout': '15',
    'Acquire::https::Timeout': '15',
    'Acquire::Languages': 'none',
    // Started by root, apt would download as `_apt`, which may not enter the work folder.
    'APT::Sandbox::User': '',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return (...args) =>
    run('apt-get', [...options, ...args], {
      timeout: 120_000,
      env: { ...process.env, LC_ALL: 'C' },
    }).catch((error: Error & { stderr?: string }) => {
      const line = /^[EW]: (.*)$/m.exec(error.stderr ?? '')?.[1];
      throw new Error(`apt-get: ${line ?? error.message}`);
    });
}
