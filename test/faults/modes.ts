/**
 * What can happen at a unit, and to which units.
 */
import type { Place, Unit } from './watch.ts';

export type Mode = 'B' | 'A' | 'D' | 'L' | 'Z' | 'H' | 'E' | 'T';

export interface ModeOf {
  title: string;
  /** Whether the process ends, is stopped for three leases, or goes on. */
  process: 'killed' | 'stopped' | 'lives';
  /** What is held: the request before it reaches the store, or the reply before it reaches the process. */
  holds: Place;
  /** Whether it makes sense at a unit. */
  fits(unit: Fitting): boolean;
}

/** What is known of a unit before it happens. */
export type Fitting = Pick<Unit, 'role' | 'store' | 'place' | 'mutates' | 'label'>;

const anywhere = (): boolean => true;
const inRequest = ({ place }: Fitting): boolean => place === 'request';

export const MODES: Record<Mode, ModeOf> = {
  B: {
    title: 'the process is killed before the unit is passed on',
    process: 'killed',
    holds: 'request',
    fits: anywhere,
  },
  A: {
    title: 'the process is killed after the unit was executed, and never hears of it',
    process: 'killed',
    holds: 'reply',
    fits: anywhere,
  },
  D: {
    title: 'the unit is executed, its reply lost and the connection reset; the process lives',
    process: 'lives',
    holds: 'reply',
    fits: anywhere,
  },
  L: {
    title: 'the process is killed, another finishes the job, and only then the unit reaches the store',
    process: 'killed',
    holds: 'request',
    fits: (unit) => unit.mutates && inRequest(unit),
  },
  Z: {
    title: 'the process is stopped for three leases, another finishes the job, and the first goes on with the unit',
    process: 'stopped',
    holds: 'request',
    fits: ({ mutates }) => mutates,
  },
  H: {
    title: 'the unit is executed, and nothing comes back on its connection any more',
    process: 'lives',
    holds: 'reply',
    fits: anywhere,
  },
  E: {
    title: 'the store refuses the unit with an error of its own',
    process: 'lives',
    holds: 'request',
    fits: inRequest,
  },
  T: {
    title: 'the thread of the job is ended while the unit is under way',
    process: 'lives',
    holds: 'request',
    fits: ({ role, store, label }) =>
      role === 'worker' && (store !== 'redis' || label.includes(':cache.')),
  },
};

export const isMode = (text: string): text is Mode => Object.hasOwn(MODES, text);

/** Those of every test run. */
export const CI_MODES: readonly Mode[] = ['B', 'A', 'D', 'L', 'Z'];

export const ALL_MODES = Object.keys(MODES) as readonly Mode[];
