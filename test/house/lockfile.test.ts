import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { packagePath } from '../../base/package-path.ts';
import { missingEntries, readLockfile } from './lockfile.ts';

test('the lockfile holds the packages of every platform, so that npm ci takes it', () => {
  assert.deepEqual(Object.keys(missingEntries(readLockfile())), []);
});

test('the lockfile names no registry', () => {
  const text = readFileSync(packagePath('package-lock.json'), 'utf8');
  assert.doesNotMatch(text, /"resolved"|registry\.|\.tgz/);
});

test('every package takes the oldest Node.js that this one takes', () => {
  const { engines } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const oldest = engines.node.replace('>=', '');
  const refusing = Object.entries(readLockfile().packages).filter(
    ([, { engines: wanted }]) => !takes(wanted?.node ?? '', oldest),
  );
  assert.deepEqual(
    refusing.map(([name, { engines: wanted }]) => `${name}: ${wanted?.node}`),
    [],
  );
});

/** Whether a range of npm has a part that admits a version; of each part the first comparison decides. */
function takes(range: string, version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return range.split('||').some((part) => {
    const [, sign, from = '0', least = '0'] = /^\s*(\D*?)\s*v?(\d+)(?:\.(\d+))?/.exec(part) ?? [];
    const isEnough = major === Number(from) ? minor >= Number(least) : major > Number(from);
    const isOpen = sign === undefined || sign.startsWith('>');
    return isEnough && (isOpen || major === Number(from));
  });
}

test('a package that npm left out is found missing, with its platform', () => {
  const lockfile = {
    packages: {
      '': { optionalDependencies: { engine: '1.0.0' } },
      'node_modules/engine': {
        dev: true,
        optionalDependencies: {
          '@engine/lib-linux-arm64-gnu': '^1.2.3',
          '@engine/lib-windows-x64': '1.2.3',
          '@engine/lib-darwin-x64': '1.2.3',
        },
      },
      'node_modules/engine/node_modules/@engine/lib-darwin-x64': { version: '1.2.3' },
    },
  };
  assert.deepEqual(missingEntries(lockfile), {
    'node_modules/@engine/lib-linux-arm64-gnu': {
      version: '1.2.3',
      cpu: ['arm64'],
      libc: ['glibc'],
      os: ['linux'],
      dev: true,
      optional: true,
    },
    'node_modules/@engine/lib-windows-x64': {
      version: '1.2.3',
      cpu: ['x64'],
      os: ['win32'],
      dev: true,
      optional: true,
    },
  });
});
