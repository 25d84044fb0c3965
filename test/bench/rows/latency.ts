/**
 * How soon a job starts: on an idle worker, and when it was delayed. Producer and worker are processes of their own.
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
import { monotonicMs } from '../peers/peer.ts';

/** Seconds of jobs a round. */
const SECONDS = 2;
const DELAYED_PER_SECOND = 200;
const DELAYED = 500;
/** Until the first delayed job is due: the last has been added long before. */
const LEAD_MS = 1000;

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

export const delayed: Row = {
  name: 'delayed',
  what: `${DELAYED} delayed jobs that fall due at ${DELAYED_PER_SECOND}/s: start of the handler less the time asked for`,
  async measure(bench: Bench): Promise<Figure[]> {
    const jobs = scaled(bench, DELAYED);
    const clocks = readClocks();
    const waits = await waitsOf(bench, jobs, ({ children: [producer], ...place }) =>
      producer!.call('addDelayed', {
        ...place,
        jobs,
        perSecond: DELAYED_PER_SECOND,
        leadMs: LEAD_MS,
      }),
    );
    const note = clockNote(clocks, readClocks());
    return [
      {
        ...milliseconds('delayed', 'delayed job lateness, p50', waits, 0.5),
        ...(note === undefined ? {} : { note }),
        target: { of: 'ours', is: 'most', must: 1, aim: 0.5 },
      },
      {
        ...milliseconds('delayed', 'delayed job lateness, p99', waits, 0.99),
        target: { of: 'ours', is: 'most', must: 5, aim: 2.5 },
      },
    ];
  },
};

interface Clocks {
  wallMs: number;
  monotonicMs: number;
}

/** Both clocks at a tick of the wall clock, which is the only moment when that one is exact. */
function readClocks(): Clocks {
  const tick = Date.now();
  let wallMs = tick;
  while (wallMs === tick) wallMs = Date.now();
  return { wallMs, monotonicMs: monotonicMs() };
}

/** Due times are of the wall clock, lateness is measured with the other; a system may slew the first by 0.5 ms a second. */
function clockNote(from: Clocks, to: Clocks): string | undefined {
  const elapsedMs = to.monotonicMs - from.monotonicMs;
  const meanDelayMs = LEAD_MS + (DELAYED / DELAYED_PER_SECOND / 2) * 1000;
  const errorMs = ((to.wallMs - from.wallMs) / elapsedMs - 1) * meanDelayMs;
  if (Math.abs(errorMs) < 0.1) return undefined;
  const direction = errorMs > 0 ? 'early' : 'late';
  return `the system was adjusting its clock: jobs of both sides look ${Math.abs(errorMs).toFixed(1)} ms too ${direction}`;
}

type Waits = Record<'ours' | 'bullmq', number[][]>;

/** The wait of every job, in milliseconds, round by round. */
function waitsOf(
  bench: Bench,
  jobs: number,
  add: (side: Side) => Promise<unknown>,
): Promise<Waits> {
  return compare(bench, { processes: 2 }, async (side) => {
    const [, worker] = side.children;
    const { url, queue } = side;
    await worker!.call('listen', { url, queue, concurrency: 50 });
    const [, { waitsMs }] = await Promise.all([add(side), worker!.call('finish', { jobs })]);
    return waitsMs;
  });
}

function milliseconds(row: string, figure: string, waits: Waits, share: number): Figure {
  const of = (rounds: number[][]): number[] => rounds.map((waitsMs) => quantile(waitsMs, share));
  return { row, figure, unit: 'ms', ours: of(waits.ours), theirs: of(waits.bullmq) };
}
