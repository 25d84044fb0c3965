/**
 * The documented keys of the queue, read from the table above jobs/queue/broker/keys.ts itself.
 */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { packagePath } from '../../../base/package-path.ts';

export interface KeyRow {
  /** As documented, for instance `wait:<queue>:<0..9>`. */
  name: string;
  pattern: RegExp;
  /** As Redis calls it. */
  type: string;
}

const TYPES: Record<string, string> = { COUNTER: 'string' };

/** Places in a name that stand for something else. */
const HOLES: Record<string, string> = {
  '<queue>': '[\\w.-]{1,64}',
  '<worker>': '[0-9a-f-]{36}',
  '<call>': '[0-9a-f-]{36}',
  '<0..9>': '[0-9]',
};

let rows: KeyRow[] | undefined;

export function documentedKeys(): KeyRow[] {
  return (rows ??= readFileSync(packagePath('jobs', 'queue', 'broker', 'keys.ts'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(' * | `'))
    .flatMap((line) => {
      const [, names = '', types = ''] = line.split('|');
      const words = types.split(',').map((type) => type.trim().split(' ')[0]!.toUpperCase());
      return [...names.matchAll(/`([^`]+)`/g)].map(([, name = ''], index) => {
        const word = words[index] ?? words[0]!;
        return { name, pattern: patternOf(name), type: TYPES[word] ?? word.toLowerCase() };
      });
    }));
}

/** Keys that no row describes, or that have another type than their row says. */
export async function undocumented(
  redis: Redis,
  keys: readonly string[],
  prefix: string,
): Promise<string[]> {
  const strangers: string[] = [];
  for (const key of keys) {
    const name = key.slice(prefix.length).replace(/^:\{s\d+\}:/, '');
    const row = documentedKeys().find(({ pattern }) => pattern.test(name));
    const type = await redis.type(key);
    // It has gone meanwhile.
    if (type === 'none') continue;
    if (row === undefined || row.type !== type) strangers.push(`${name} (${type})`);
  }
  return strangers;
}

function patternOf(name: string): RegExp {
  const source = name.split(/(<[^>]+>)/).map((part) => HOLES[part] ?? part);
  return new RegExp(`^${source.join('')}$`);
}
