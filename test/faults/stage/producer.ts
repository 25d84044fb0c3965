/**
 * Who asks for feedback, as often as it takes, and writes down every 202.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { signToken } from '../../../api/http/auth.ts';
import type { Stage } from './stage.ts';

/** Pause after an answer that asks to come again, in milliseconds. */
const AGAIN_MS = 50;

export interface ProducerLog {
  /** Task ids of every 202, in order. */
  accepted: string[];
  /** Answers that were neither 202 nor a request to come again. */
  unexpected: string[];
}

/** A task or a group. */
interface Accepted {
  task_id?: string;
  group_id?: string;
}

export class Producer {
  readonly log: ProducerLog = { accepted: [], unexpected: [] };
  readonly #stage: Stage;
  readonly #practice: string;
  readonly #key: string;
  readonly #asksForGroup: boolean;
  readonly #underWay: Promise<void>[] = [];

  /**
   * @param key the Idempotency-Key of every request.
   * @param asksForGroup whether it asks for a group with the practice alone.
   */
  constructor(stage: Stage, practice: string, key: string, asksForGroup = false) {
    this.#stage = stage;
    this.#practice = practice;
    this.#key = key;
    this.#asksForGroup = asksForGroup;
  }

  /** Asks the API that serves. @returns the task's id; undefined when there was no answer, or none that settles it. */
  ask(): Promise<string | undefined> {
    const answer = this.#ask();
    this.#underWay.push(answer.then(() => undefined));
    return answer;
  }

  /** Asks until there is a 202. */
  async insist(isOver: () => boolean): Promise<string> {
    for (;;) {
      const id = await this.ask();
      if (id !== undefined) return id;
      if (isOver()) throw new Error('no request was answered with 202');
      await sleep(AGAIN_MS);
    }
  }

  /** Resolves when every request was answered, or never will be. */
  async quiet(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #ask(): Promise<string | undefined> {
    const { origin } = this.#stage.serving('api');
    const token = await this.#token();
    try {
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': this.#key };
      const single = new URL(`/practices/${this.#practice}/feedback`, origin);
      const response = this.#asksForGroup
        ? await fetch(new URL('/practices/feedback', origin), {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ practice_ids: [this.#practice] }),
          })
        : await fetch(single, { method: 'POST', headers });
      const text = await response.text();
      if (response.status === 202) {
        const id = await this.#taskOf(JSON.parse(text) as Accepted);
        this.log.accepted.push(id);
        return id;
      }
      if (response.status !== 503) this.log.unexpected.push(`${response.status} ${text}`);
    } catch {
      // The process was killed, or its connection broken: whether it accepted is not known.
    }
    return undefined;
  }

  async #taskOf({ task_id: taskId, group_id: groupId }: Accepted): Promise<string> {
    if (taskId !== undefined) return taskId;
    const { rows } = await this.#stage.stores.database.pool.query<{ id: string }>(
      'SELECT id FROM ai.tasks WHERE graph_id = $1',
      [groupId],
    );
    return rows[0]!.id;
  }

  #token(): Promise<string> {
    const { id, externalId } = this.#stage.person;
    const claims = {
      id,
      _id: externalId,
      username: 'mei',
      isTemp: false,
      roles: [],
      permissions: [],
    };
    const secret = this.#stage.stores.config.jwtSecurity;
    return signToken(secret, claims, { expiresInSeconds: 600 });
  }
}
