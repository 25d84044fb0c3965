/** What a member with a valid token can do to cost others something. Each act is one request, or a few that belong together. */
import { randomUUID } from 'node:crypto';
import type { Person } from '../../support/app/app.ts';

/** @returns the status of the last answer. @param n differs from act to act. */
type Act = (n: number) => Promise<number>;

const MB = 1024 * 1024;

export interface HostileMember {
  person: Person;
  /** Of the API. */
  origin: string;
  /** What the person sends as `Authorization`. */
  authorization: string;
}

/** @param practice which no one has. */
export function hostileActs(
  { person, origin, authorization }: HostileMember,
  practice: string,
): Act[] {
  const owned: string[] = [];
  const send = async (method: string, path: string, body?: string): Promise<Response> =>
    fetch(new URL(path, origin), {
      method,
      headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    });
  /** Reads the whole answer, as a client would. */
  const statusOf = async (method: string, path: string, body?: object | string) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const answer = await send(method, path, text);
    await answer.arrayBuffer();
    return answer.status;
  };
  const event = (fields: object = {}) => ({
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'practice',
    entity_id: practice,
    occurred_at: new Date().toISOString(),
    ...fields,
  });
  let deep: object = {};
  for (let depth = 0; depth < 30; depth++) deep = { a: deep };
  // Serialised once, so that the attack does not wait for its own JSON.
  const [zeros, keys, long, depths] = [
    { events: Array.from({ length: 900_000 }, () => 0) },
    Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [index, 0])),
    { events: [event({ page: 'x'.repeat(1.5 * MB) })] },
    { events: Array.from({ length: 500 }, () => deep) },
  ].map((body) => JSON.stringify(body));
  return [
    () => statusOf('POST', '/events', zeros),
    () => statusOf('POST', '/events', keys),
    () => statusOf('POST', '/events', long),
    () => statusOf('POST', '/events', depths),
    // As many events as a request takes, each new.
    () => statusOf('POST', '/events', { events: Array.from({ length: 500 }, () => event()) }),
    () => statusOf('POST', '/events/view', { entity_type: 'page', entity_id: randomUUID() }),
    // Asking, revoking, and asking again.
    async (n) => {
      if (owned.length < 5) owned.push(await person.practice());
      const asked = await send('POST', `/practices/${owned[n % owned.length]}/feedback`);
      const { task_id: task } = (await asked.json()) as { task_id?: string };
      return task === undefined ? asked.status : statusOf('DELETE', `/tasks/${task}`);
    },
    // Reading what is not theirs, without end and all at once.
    () => statusOf('GET', `/tasks/${randomUUID()}`),
    () => statusOf('GET', `/users/me/recommendations?limit=50&${'exclude_ids=1&'.repeat(200)}`),
    () => statusOf('GET', '/openapi.json'),
    () => statusOf('GET', '/metrics'),
    // Not JSON, not text, not an address.
    () => statusOf('POST', '/events', '['.repeat(200_000)),
    (n) => statusOf('GET', `/tasks/${'a'.repeat(n % 4000)}`),
  ];
}
