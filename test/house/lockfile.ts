/**
 * Completes package-lock.json: `node dist/test/house/lockfile.js` after every change of dependencies.
 *
 * npm leaves a platform's optional package out of the lockfile when the registry it asked does not carry it, and then
 * its own `npm ci` refuses that lockfile ("Missing: ... from lock file"). Parents name these packages exactly, so their
 * entries can be written without a registry; those have no integrity hash, which npm allows.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../base/package-path.ts';

export interface LockedPackage {
  version?: string;
  resolved?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
  engines?: { node?: string };
}

export interface Lockfile {
  packages: Record<string, LockedPackage>;
}

/** The entries a lockfile lacks, by path: optional dependencies that no entry satisfies. */
export function missingEntries({ packages }: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [parent, locked] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(locked.optionalDependencies ?? {})) {
      if (lookupPaths(parent, name).some((entry) => entry in packages)) continue;
      const { cpu, libc, os } = platformOf(name);
      // In npm's own order, so that its next write changes nothing.
      missing[`node_modules/${name}`] = {
        version: range.replace(/^[~^]/, ''),
        cpu,
        ...(locked.dev === true ? { dev: true } : {}),
        ...(libc === undefined ? {} : { libc }),
        optional: true,
        ...(os === undefined ? {} : { os }),
      };
    }
  }
  return missing;
}

/** Where a package at `parent` finds `name`: from its own folder outwards. */
function lookupPaths(parent: string, name: string): string[] {
  const folders = parent === '' ? [] : parent.split('/node_modules/');
  const paths = folders.map(
    (_, depth) => `${folders.slice(0, depth + 1).join('/node_modules/')}/node_modules/${name}`,
  );
  return [...paths, `node_modules/${name}`];
}

const SYSTEMS: Record<string, string> = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
  windows: 'win32',
};
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];
const LIBRARIES: Record<string, string> = {
  gnu: 'glibc',
  gnueabihf: 'glibc',
  musl: 'musl',
  musleabihf: 'musl',
};

/** What the name of a platform package says: `lib-linux-arm64-gnu`. Keeps npm from fetching it anywhere else. */
function platformOf(name: string): Required<Pick<LockedPackage, 'cpu'>> & LockedPackage {
  const words = path.posix.basename(name).split('-');
  const system = words.map((word) => SYSTEMS[word]).find(Boolean);
  const processor = words.find((word) => PROCESSORS.includes(word));
  const library = words.map((word) => LIBRARIES[word]).find(Boolean);
  if (processor === undefined) throw new Error(`${name} does not say what platform it is for`);
  return {
    cpu: [processor],
    ...(library === undefined ? {} : { libc: [library] }),
    ...(system === undefined ? {} : { os: [system] }),
  };
}

export function readLockfile(): Lockfile {
  return JSON.parse(readFileSync(packagePath('package-lock.json'), 'utf8')) as Lockfile;
}

if (import.meta.filename === process.argv[1]) {
  const lockfile = readLockfile();
  const entries = Object.entries({ ...lockfile.packages, ...missingEntries(lockfile) });
  entries.sort(([a], [b]) => a.localeCompare(b, 'en'));
  lockfile.packages = Object.fromEntries(entries);
  writeFileSync(packagePath('package-lock.json'), `${JSON.stringify(lockfile, null, 2)}\n`);
}
