/**
 * What can happen at a unit, and to which units.
 */
import type { Place, Unit } from '../gate/watch.ts';
import type { Way } from './ways.ts';

export type Mode = 'B' | 'A' | 'D' | 'L' | 'Z' | 'W' | 'H' | 'E' | 'T' | 'X';

export interface ModeOf {
  title: string;
  /** Whether the process ends, is stopped for three leases, or goes on. */
  process: 'killed' | 'stopped' | 'lives';
  /** What is held: the request before it reaches the store, or the reply before it reaches the process. */
  holds: Place;
  /** Whether it can happen at a unit. */
  fits(unit: Fitting): boolean;
  /** Whether every test run does it: at each unit it fits, at those that may change something, or at none. */
  inTests: 'everywhere' | 'where it mutates' | 'nowhere';
}

/** What is known of a unit before it happens. */
export interface Fitting extends Pick<Unit, 'role' | 'store' | 'place' | 'mutates' | 'label'> {
  /** The way of the job on which it comes. */
  way: Way;
}

const anywhere = ({ way }: Fitting): boolean => way !== 'in its inbox';
const inRequest = ({ place, way }: Pick<Fitting, 'place' | 'way'>): boolean =>
  place === 'request' && way !== 'in its inbox';
const always = (): boolean => true;

export const MODES: Record<Mode, ModeOf> = {
  B: {
    title: 'the process is killed before the unit is passed on',
    process: 'killed',
    holds: 'request',
    fits: always,
    inTests: 'everywhere',
  },
  A: {
    title: 'the process is killed after the unit was executed, and never hears of it',
    process: 'killed',
    holds: 'reply',
    fits: anywhere,
    inTests: 'everywhere',
  },
  D: {
    title: 'the unit is executed, its reply lost and the connection reset; the process lives',
    process: 'lives',
    holds: 'reply',
    fits: anywhere,
    inTests: 'everywhere',
  },
  L: {
    title:
      'the process is killed, another finishes the job, and only then the unit reaches the store',
    process: 'killed',
    holds: 'request',
    fits: inRequest,
    inTests: 'where it mutates',
  },
  Z: {
    title:
      'the process is stopped for three leases, another finishes the job, and the first goes on with the unit',
    process: 'stopped',
    holds: 'request',
    fits: always,
    inTests: 'where it mutates',
  },
  W: {
    title:
      'the process is stopped until another has begun the job, and goes on with the unit while that one is held',
    process: 'stopped',
    holds: 'request',
    fits: ({ role, way }) => role === 'worker' && (way === 'handed over' || way === 'in a group'),
    inTests: 'where it mutates',
  },
  H: {
    title: 'the unit is executed, and nothing comes back on its connection any more',
    process: 'lives',
    holds: 'reply',
    fits: anywhere,
    inTests: 'nowhere',
  },
  E: {
    title: 'the store refuses the unit with an error of its own',
    process: 'lives',
    holds: 'request',
    fits: inRequest,
    inTests: 'nowhere',
  },
  T: {
    title: 'the thread of the job is ended while the unit is under way',
    process: 'lives',
    holds: 'request',
    fits: ({ role, store, label }) =>
      role === 'worker' && (store !== 'redis' || label.includes(':cache.')),
    inTests: 'nowhere',
  },
  X: {
    title: 'the store is killed before the unit reaches it, and started again',
    process: 'lives',
    holds: 'request',
    fits: ({ store, way, place }) => store !== 'llm' && inRequest({ place, way }),
    inTests: 'nowhere',
  },
};

export const isMode = (text: string): text is Mode => Object.hasOwn(MODES, text);

export const ALL_MODES = Object.keys(MODES) as readonly Mode[];

/** Whether a mode is tried at a unit in every test run. */
export function isInTests(mode: Mode, unit: Fitting): boolean {
  const { fits, inTests } = MODES[mode];
  return fits(unit) && inTests !== 'nowhere' && (inTests === 'everywhere' || unit.mutates);
}
