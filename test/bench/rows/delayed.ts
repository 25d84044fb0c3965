/**
 * How late delayed jobs start, and whether it matters how many others wait for their time. Producer and worker are processes of
 * their own.
 */
import { compare, scaled, type Bench, type Figure, type Row, type Side } from '../bench.ts';
import { monotonicMs } from '../peers/peer.ts';
import { milliseconds, waitsOfRound, type Waits } from './latency.ts';

const PER_SECOND = 500;
const JOBS = 1000;
/** Until the first one is due: the last has been added long before. */
const LEAD_MS = 1000;
const MILLION = 1_000_000;
/** Jobs that wait are added in calls of so many, and fall due hours later, as in days to come. */
const FILL = 50_000;
const FILL_DELAY_MS = 6 * 3_600_000;

export const delayed: Row = {
  name: 'delayed',
  what: `${JOBS} delayed jobs that fall due at ${PER_SECOND}/s: start of the handler less the time asked for`,
  async measure(bench: Bench): Promise<Figure[]> {
    const clocks = readClocks();
    const waits = await compare(bench, { processes: 2 }, (side) => waitsOfDelayed(bench, side));
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

export const delayedMillion: Row = {
  name: 'delayed-million',
  what: `the same while ${MILLION} others wait for a time hours away`,
  async measure(bench: Bench): Promise<Figure[]> {
    const waits: Waits = { ours: [], bullmq: [] };
    // One round for `compare`: filling takes a minute, the rounds are inside.
    await compare(bench, { processes: 2, rounds: 0 }, async (side) => {
      const { children, peer, ...place } = side;
      for (let left = scaled(bench, MILLION); left > 0; left -= FILL) {
        const jobs = Math.min(left, FILL);
        const delayMs = FILL_DELAY_MS;
        await children[0]!.call('addBulk', { ...place, jobs, batch: 1000, delayMs });
      }
      for (let round = 0; round <= bench.rounds; round++) {
        const value = await waitsOfDelayed(bench, side);
        if (round > 0) waits[peer].push(value);
      }
    });
    return [
      milliseconds('delayed-million', 'lateness with 1M delayed, p50', waits, 0.5),
      {
        ...milliseconds('delayed-million', 'lateness with 1M delayed, p99', waits, 0.99),
        target: { of: 'ours', is: 'most', must: 50, aim: 5 },
      },
    ];
  },
};

function waitsOfDelayed(bench: Bench, of: Side): Promise<number[]> {
  const jobs = scaled(bench, JOBS);
  return waitsOfRound(of, jobs, ({ children: [producer], url, queue }) =>
    producer!.call('addDelayed', { url, queue, jobs, perSecond: PER_SECOND, leadMs: LEAD_MS }),
  );
}

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
  const meanDelayMs = LEAD_MS + (JOBS / PER_SECOND / 2) * 1000;
  const errorMs = ((to.wallMs - from.wallMs) / elapsedMs - 1) * meanDelayMs;
  if (Math.abs(errorMs) < 0.1) return undefined;
  const direction = errorMs > 0 ? 'early' : 'late';
  return `the system was adjusting its clock: jobs of both sides look ${Math.abs(errorMs).toFixed(1)} ms too ${direction}`;
}
