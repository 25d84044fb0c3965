/** What is charged to a job, as the `counts` hash holds it. */

/** Failures charged to a job: `attempts` of its handler, `deaths` of a thread or process that ran it alone. */
export interface Counts {
  attempts: number;
  deaths: number;
  /** `s`: a suspect, which must run alone; `r`: running alone; empty otherwise. */
  mark: '' | 's' | 'r';
  /** How often the job has put itself off without being charged. Default 0. */
  snoozes?: number;
}

const NOTHING_WRONG: Counts = Object.freeze({ attempts: 0, deaths: 0, mark: '' });

export function decodeCounts(text: string): Counts {
  if (text === '') return NOTHING_WRONG;
  const [attempts = '0', deaths = '0', mark = '', snoozes] = text.split(':');
  return {
    attempts: Number(attempts),
    deaths: Number(deaths),
    mark: mark as Counts['mark'],
    ...(snoozes === undefined ? {} : { snoozes: Number(snoozes) }),
  };
}

export function encodeCounts({ attempts, deaths, mark, snoozes = 0 }: Counts): string {
  return `${attempts}:${deaths}:${mark}${snoozes === 0 ? '' : `:${snoozes}`}`;
}
