/**
 * Chords among the tasks of a storm: some members, then a callback that must not begin before all of them have ended.
 */
import { randomUUID } from 'node:crypto';
import type { Pool } from '../../../../db/stores/postgres.ts';
import type { TaskClient } from '../../../../jobs/framework/calls/client.ts';
import { chord } from '../../../../jobs/framework/canvas/combinators.ts';
import { stormTask, type Storm } from '../../../support/threads/storm-tasks.ts';
import { readLines, type Asked } from './ledger.ts';

export interface AskedChord {
  id: string;
  members: readonly string[];
  callback: string;
}

const MEMBERS = 3;

/**
 * Accepts a chord whose tasks all have this payload, which must not be poison.
 * @param accepted gets its tasks, which are judged like single ones.
 */
export async function askForChord(
  client: TaskClient,
  payload: Storm,
  accepted: Map<string, Asked>,
): Promise<AskedChord> {
  const members = Array.from({ length: MEMBERS }, () => randomUUID());
  const callback = randomUUID();
  const { id } = await client.enqueue(
    chord(
      members.map((member) => stormTask.s(payload, { id: member })),
      stormTask.si(payload, { id: callback }),
    ),
  );
  const { failures, ends } = payload;
  for (const task of [...members, callback]) accepted.set(task, { failures, ends });
  return { id, members, callback };
}

/** Every chord that did not end as it must, and every callback that began too early. One with a task that was given up fails. */
export async function violationsOfChords(
  db: Pool,
  file: string,
  chords: readonly AskedChord[],
): Promise<string[]> {
  const graphs = await db.query<{ id: string; status: string }>('SELECT id, status FROM ai.graphs');
  const statuses = new Map(graphs.rows.map(({ id, status }) => [id, status]));
  const { rows } = await db.query<{ id: string }>(
    "SELECT id FROM ai.tasks WHERE error_code = 'WORKER_DIED'",
  );
  const givenUp = new Set(rows.map(({ id }) => id));
  const lines = readLines(file);
  /** When each task ended, by its first `ended`: a later one is of an attempt that was cut short after it. */
  const endedAt = new Map<string, number>();
  lines.forEach(({ what, id }, index) => {
    if (what === 'ended' && !endedAt.has(id)) endedAt.set(id, index);
  });
  return chords.flatMap(({ id, members, callback }) => {
    const fails = [...members, callback].some((task) => givenUp.has(task));
    const status = statuses.get(id) ?? 'lost';
    const expected = fails ? 'error' : 'done';
    const problems = status === expected ? [] : [`chord ${id}: status ${status}, not ${expected}`];
    const begun = lines.findIndex((line) => line.id === callback && line.what === 'begun');
    const early = members.filter((member) => (endedAt.get(member) ?? Infinity) > begun);
    if (begun >= 0 && early.length > 0) {
      problems.push(`chord ${id}: its callback began before ${early.length} members had ended`);
    }
    return problems;
  });
}
