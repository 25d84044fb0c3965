/** Checks that a Redis can hold jobs: version 7 or newer, a master, and `noeviction`. */

const NEEDED_MAJOR = 7;

export interface Info {
  version: string;
  role: string;
  /** Empty when the server does not report it. */
  evictionPolicy: string;
  isCluster: boolean;
}

/** @param text the answer to INFO. */
export function readInfo(text: string): Info {
  const field = (name: string): string =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? '';
  return {
    version: field('redis_version'),
    role: field('role'),
    evictionPolicy: field('maxmemory_policy'),
    isCluster: field('cluster_enabled') === '1',
  };
}

/** @returns why the server cannot hold jobs, or undefined. Any node of a cluster will do: it leads to the masters. */
export function unfitness({ version, role, evictionPolicy, isCluster }: Info): string | undefined {
  if (Number.parseInt(version, 10) < NEEDED_MAJOR) {
    return `version ${version} is too old, it must be ${NEEDED_MAJOR} or newer`;
  }
  if (!isCluster && role !== '' && role !== 'master') {
    return `it is a replica (role ${role}), it must be the master`;
  }
  if (evictionPolicy !== '' && evictionPolicy !== 'noeviction') {
    return `its maxmemory-policy is ${evictionPolicy}, which may evict jobs: it must be noeviction`;
  }
  return undefined;
}
