/** Accepts the requests of one process: those that arrive while others are being written share the next statement. */
import { fulfilled, Group } from '../stores/group.ts';
import { isLockTimeout, transaction, type Pool } from '../stores/postgres.ts';
import { acceptPlain, acceptTask, acceptTogether, isPlain } from './accept.ts';
import type { Accepted, AcceptRequest } from './request.ts';

/** Requests per statement. Each may take four of the locks that Postgres has room for. */
const MOST_TOGETHER = 100;
/** Plain requests per statement, which take no locks. */
const MOST_PLAIN = 1000;
/** Requests that wait for other transactions, at a time: few, as each holds a connection meanwhile. */
const MOST_WAITING = 3;

/** How waiting ended. Without `answer` the request is tried again; `error` is the lock timeout of another one that waited before it. */
interface Waited {
  answer?: Accepted;
  error?: unknown;
}

export class Acceptor {
  readonly #pool: Pool;
  readonly #together: Group<AcceptRequest, Accepted | undefined>;
  readonly #waiting: Group<AcceptRequest, Waited>;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#together = new Group((requests) => acceptOrLeave(pool, requests), {
      most: MOST_TOGETHER,
    });
    this.#waiting = new Group((requests) => waitForFirst(pool, requests), {
      most: MOST_TOGETHER,
      atOnce: MOST_WAITING,
    });
  }

  /** As `acceptTask`. Resolves once the request is committed. */
  async accept(request: AcceptRequest): Promise<Accepted> {
    let late: unknown;
    for (;;) {
      const answer = await this.#together.add(request);
      if (answer !== undefined) return answer;
      if (late !== undefined) throw late;
      const waited = await this.#waiting.add(request);
      if (waited.answer !== undefined) return waited.answer;
      late = waited.error;
    }
  }

  /**
   * Accepts many. Plain ones are stored all or none.
   * @param onAccepted called for each request that is committed, even if another one fails.
   * @throws {AppError} that of the first request that fails.
   */
  async acceptMany(
    requests: readonly AcceptRequest[],
    onAccepted: (request: AcceptRequest, answer: Accepted) => void,
  ): Promise<void> {
    const isBulk = (request: AcceptRequest) => requests.length > 1 && isPlain(request);
    // A fixed order prevents deadlocks with concurrent callers that insert the same ids.
    const plain = requests.filter(isBulk).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const stored = plain.length > 0 ? await this.#store(plain) : [];
    stored.forEach((answer, index) => onAccepted(plain[index]!, answer));
    const others = requests.filter((request) => !isBulk(request));
    for (const page of pagesOf(others, MOST_TOGETHER)) {
      const ends = await Promise.allSettled(
        page.map(async (request) => onAccepted(request, await this.accept(request))),
      );
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  #store(plain: readonly AcceptRequest[]): Promise<Accepted[]> {
    return transaction(this.#pool, async (tx) => {
      const answers: Accepted[] = [];
      for (const page of pagesOf(plain, MOST_PLAIN)) answers.push(...(await acceptPlain(tx, page)));
      return answers;
    });
  }
}

/** @returns undefined for requests that have to wait. */
async function acceptOrLeave(
  pool: Pool,
  requests: readonly AcceptRequest[],
): Promise<PromiseSettledResult<Accepted | undefined>[]> {
  try {
    return await acceptTogether(pool, requests);
  } catch (error) {
    if (requests.length === 1 && isLockTimeout(error)) return [fulfilled(undefined)];
    throw error;
  }
}

/** The others often need what the first one waits for, and can then go together. */
async function waitForFirst(
  pool: Pool,
  [first, ...others]: readonly AcceptRequest[],
): Promise<PromiseSettledResult<Waited>[]> {
  const [end] = await Promise.allSettled([acceptTask(pool, first!)]);
  const isLate = end.status === 'rejected' && isLockTimeout(end.reason);
  const again = isLate ? { error: end.reason as unknown } : {};
  return [
    end.status === 'rejected' ? end : fulfilled({ answer: end.value }),
    ...others.map(() => fulfilled(again)),
  ];
}

function* pagesOf<T>(items: readonly T[], most: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += most) yield items.slice(from, from + most);
}
