/**
 * Chords: tasks side by side, then one that waits for all of them, from the call until the end of that one is known.
 */
import { rate, scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { CeleryChords } from '../../peers/celery-chords.ts';
import type { CeleryPool } from '../../peers/celery.ts';
import { besideCelery } from '../beside-celery.ts';
import { compareDurable, costOf, type DurableSide } from './sides.ts';

const MEMBERS = 10_000;
const MEMBERS_OF_SMALL = 100;
const SMALL_CHORDS = 20;
const MEMBERS_OF_FLOW = 1000;
const CALLS = 4000;
const BATCH = 500;

/** Members per second. */
async function chordRate({ client }: DurableSide, members: number): Promise<number> {
  return rate(members, await client.call('chord', { members }));
}

export const chord: Row = {
  name: 'chord',
  what: `chords of ${MEMBERS} and of ${MEMBERS_OF_SMALL} durable tasks, beside ${CALLS} calls made ${BATCH} at a time; ours only`,
  async measure(bench: Bench): Promise<Figure[]> {
    const plan = { peers: ['ours'] as const, workers: true };
    const { ours: rounds } = await compareDurable(bench, plan, async (side) => {
      const tasks = scaled(bench, CALLS);
      const many = await costOf(side, tasks, (client) =>
        client.call('callMany', { tasks, batch: BATCH }),
      );
      const members = scaled(bench, MEMBERS);
      const large = await costOf(side, members, (client) => client.call('chord', { members }));
      let smallMs = 0;
      for (let i = 0; i < SMALL_CHORDS; i++) {
        const span = await side.client.call('chord', { members: MEMBERS_OF_SMALL });
        smallMs += span.endMs - span.startMs;
      }
      const smallRate = (SMALL_CHORDS * MEMBERS_OF_SMALL * 1000) / smallMs;
      return { many, large, growth: smallRate / large.rate };
    });
    const row = 'chord';
    return [
      {
        row,
        figure: `members of a chord of ${MEMBERS} to the end of its callback`,
        unit: 'tasks/s',
        ours: rounds.map(({ large }) => large.rate),
        theirs: rounds.map(({ many }) => many.rate),
        peer: 'enqueueMany',
        target: { of: 'ratio', is: 'least', must: 0.6, aim: 0.9 },
      },
      {
        row,
        figure: `time per member, of ${MEMBERS} to of ${MEMBERS_OF_SMALL}`,
        unit: 'ratio',
        ours: rounds.map(({ growth }) => growth),
        theirs: [],
        target: { of: 'ours', is: 'most', must: 1.3, aim: 1 },
      },
      {
        row,
        figure: 'WAL per member',
        unit: 'bytes',
        ours: rounds.map(({ large }) => large.walBytes),
        theirs: rounds.map(({ many }) => many.walBytes),
        peer: 'enqueueMany',
      },
    ];
  },
};

export const fanOut: Row = {
  name: 'fan-out',
  what: `a chord of ${MEMBERS_OF_FLOW} tasks, ours durable in Postgres; BullMQ a flow in Redis alone`,
  async measure(bench: Bench): Promise<Figure[]> {
    const plan = { peers: ['ours', 'bullmq'] as const, workers: true };
    const members = scaled(bench, MEMBERS_OF_FLOW);
    const rates = await compareDurable(bench, plan, (side) => chordRate(side, members));
    return [
      {
        row: 'fan-out',
        figure: `members of a chord of ${MEMBERS_OF_FLOW}, beside a flow`,
        unit: 'tasks/s',
        ours: rates.ours,
        theirs: rates.bullmq,
        target: { of: 'ratio', is: 'least', must: 0.5, aim: 1 },
      },
    ];
  },
};

export const celeryChord: Row = {
  name: 'celery-chord',
  what: `a chord of ${MEMBERS_OF_FLOW} tasks, ours durable in Postgres; Celery with results in Redis, the better of its pools`,
  async measure(bench: Bench): Promise<Figure[]> {
    const figure = {
      row: 'celery-chord',
      figure: `members of a chord of ${MEMBERS_OF_FLOW}, beside Celery`,
      unit: 'tasks/s',
      target: { of: 'ratio', is: 'least', must: 5, aim: 8 },
    } as const;
    const members = scaled(bench, MEMBERS_OF_FLOW);
    return besideCelery(figure, async (eachPool) => {
      const plan = { peers: ['ours'] as const, workers: true };
      const { ours } = await compareDurable(bench, plan, async (side) => {
        await eachPool((pool) => celeryChordRate(bench, pool, members));
        return chordRate(side, members);
      });
      return ours;
    });
  },
};

async function celeryChordRate(
  { redis }: Bench,
  pool: CeleryPool,
  members: number,
): Promise<number> {
  const chords = new CeleryChords(redis, pool);
  try {
    // Until both processes are connected.
    await chords.run(10);
    return await chords.run(members);
  } finally {
    await chords.stop();
  }
}
