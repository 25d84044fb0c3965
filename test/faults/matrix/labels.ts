/**
 * The list of all units in the life of a job, written down beside this file: a unit that is new, or has vanished, is looked at
 * before it is taken.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { packagePath } from '../../../base/package-path.ts';
import type { Fitting } from './modes.ts';

const FILE = packagePath('test', 'faults', 'matrix', 'labels.json');

/** In the order of a run, but for what the two sides of a job do at the same time. */
export function knownUnits(): Fitting[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Fitting[];
}

export function writeUnits(units: readonly Fitting[]): void {
  const rows = units.map(({ way, label, role, store, place, mutates }) => ({
    way,
    label,
    role,
    store,
    place,
    mutates,
  }));
  writeFileSync(FILE, `${JSON.stringify(rows, undefined, 2)}\n`);
}

/** How a fresh list differs from the known one, and what to do about it; undefined when it does not. */
export function difference(fresh: readonly Fitting[]): string | undefined {
  const known = knownUnits();
  const text = ({ way, label, place, mutates }: Fitting): string =>
    `${label} (${way}, ${place}${mutates ? ', mutates' : ''})`;
  const without = (these: readonly Fitting[], those: readonly Fitting[]): string[] => {
    const texts = new Set(those.map(text));
    return these.map(text).filter((one) => !texts.has(one));
  };
  const [added, gone] = [without(fresh, known), without(known, fresh)];
  if (added.length === 0 && gone.length === 0) return undefined;
  return [
    'The life of a job has other units than test/faults/matrix/labels.json.',
    `New: ${added.join(', ') || 'none'}.`,
    `Vanished: ${gone.join(', ') || 'none'}.`,
    'If that is meant, write the list with `npm run faults -- matrix --labels`, and let the matrix run at the new units.',
  ].join('\n');
}
