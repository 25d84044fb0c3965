/**
 * One durable call at a time on an idle system. Ours only.
 */
import { quantile, scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import type { Followed } from '../../children/durable/commands.ts';
import { compareDurable } from './sides.ts';

const TASKS = 60;
/** Between an end and the next call. */
const REST_MS = 5;

export const durableLatency: Row = {
  name: 'durable-latency',
  what: `${TASKS} durable calls one after the other on an idle system; ours only`,
  async measure(bench: Bench): Promise<Figure[]> {
    const tasks = scaled(bench, TASKS);
    const { ours: rounds } = await compareDurable(
      bench,
      { peers: ['ours'], workers: true },
      ({ client }) => client.call('follow', { tasks, restMs: REST_MS }),
    );
    const figure = (of: keyof Followed, words: string, share: number): Figure => ({
      row: 'durable-latency',
      figure: words,
      unit: 'ms',
      ours: rounds.map((round) => quantile(round[of], share)),
      theirs: [],
    });
    return [
      figure('acceptMs', 'one durable call, to its acceptance, p50', 0.5),
      figure('endMs', 'from there to its result, p50', 0.5),
      figure('endMs', 'from there to its result, p99', 0.99),
    ];
  },
};
