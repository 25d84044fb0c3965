/**
 * How soon a job starts on an idle worker. Producer and worker are processes of their own.
 */
import {
  compare,
  quantile,
  scaled,
  type Bench,
  type Figure,
  type Row,
  type Side,
} from '../bench.ts';

/** Seconds of jobs a round. */
const SECONDS = 2;

export const latency50 = latencyRow(50, { must: 0.6, aim: 0.45 });
export const latency500 = latencyRow(500, { must: 0.5, aim: 0.35 });

function latencyRow(perSecond: number, target: { must: number; aim: number }): Row {
  const name = `latency-${perSecond}`;
  return {
    name,
    what: `an idle worker at ${perSecond} jobs/s of fixed pace, from the call that adds to the start of the handler`,
    async measure(bench: Bench): Promise<Figure[]> {
      const jobs = scaled(bench, perSecond * SECONDS);
      const waits = await waitsOf(bench, jobs, ({ children: [producer], ...place }) =>
        producer!.call('addPaced', { ...place, jobs, perSecond }),
      );
      return [
        {
          ...milliseconds(name, `pick-up at ${perSecond}/s, p50`, waits, 0.5),
          target: { of: 'ratio', is: 'most', ...target },
        },
        milliseconds(name, `pick-up at ${perSecond}/s, p99`, waits, 0.99),
      ];
    },
  };
}

export type Waits = Record<'ours' | 'bullmq', number[][]>;

/** The wait of every job, in milliseconds, round by round. */
function waitsOf(
  bench: Bench,
  jobs: number,
  add: (side: Side) => Promise<unknown>,
): Promise<Waits> {
  return compare(bench, { processes: 2 }, (side) => waitsOfRound(side, jobs, add));
}

/** The first process of the side adds, the second one works. */
export async function waitsOfRound(
  side: Side,
  jobs: number,
  add: (side: Side) => Promise<unknown>,
): Promise<number[]> {
  const [, worker] = side.children;
  const { url, queue } = side;
  await worker!.call('listen', { url, queue, concurrency: 50 });
  const [, { waitsMs }] = await Promise.all([add(side), worker!.call('finish', { jobs })]);
  return waitsMs;
}

export function milliseconds(row: string, figure: string, waits: Waits, share: number): Figure {
  const of = (rounds: number[][]): number[] => rounds.map((waitsMs) => quantile(waitsMs, share));
  return { row, figure, unit: 'ms', ours: of(waits.ours), theirs: of(waits.bullmq) };
}
