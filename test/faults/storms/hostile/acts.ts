/** What a member with a valid token can do to cost others something. Each act is one request, or a few that belong together. */
import { randomUUID } from 'node:crypto';
import type { HttpClient } from '../../../support/app/http.ts';

/** @returns the status of the last answer. @param n differs from act to act. */
type Act = (n: number) => Promise<number>;

const MB = 1024 * 1024;

/**
 * @param authorization of the member.
 * @param owned practices of the member that get feedback.
 */
export function hostileActs(
  client: HttpClient,
  authorization: string,
  owned: readonly string[],
): Act[] {
  const send = (method: string, path: string, body?: Buffer) => {
    const type = body && { 'content-type': 'application/json' };
    return client.send({ method, path, body, headers: { authorization, ...type } });
  };
  const statusOf = async (method: string, path: string, body?: Buffer) =>
    (await send(method, path, body)).status;
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const nobodys = randomUUID();
  const event = (fields: object = {}) => ({
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'practice',
    entity_id: nobodys,
    occurred_at: new Date().toISOString(),
    ...fields,
  });
  let deep: object = {};
  for (let depth = 0; depth < 30; depth++) deep = { a: deep };
  // Serialised once, so that the attack does not wait for its own JSON.
  const zeros = json({ events: Array.from({ length: 900_000 }, () => 0) });
  const keys = json(Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [index, 0])));
  const long = json({ events: [event({ page: 'x'.repeat(1.5 * MB) })] });
  const depths = json({ events: Array.from({ length: 500 }, () => deep) });
  const brackets = Buffer.from('['.repeat(200_000));
  return [
    () => statusOf('POST', '/events', zeros),
    () => statusOf('POST', '/events', keys),
    () => statusOf('POST', '/events', long),
    () => statusOf('POST', '/events', depths),
    // As many events as a request takes, each new.
    () => statusOf('POST', '/events', json({ events: Array.from({ length: 500 }, () => event()) })),
    () => statusOf('POST', '/events/view', json({ entity_type: 'page', entity_id: randomUUID() })),
    // Asking, revoking, and asking again.
    async (n) => {
      const asked = await send('POST', `/practices/${owned[n % owned.length]}/feedback`);
      const { task_id: task } = JSON.parse(asked.body.toString()) as { task_id?: string };
      return task === undefined ? asked.status : statusOf('DELETE', `/tasks/${task}`);
    },
    // Reading what is not theirs, without end and all at once.
    () => statusOf('GET', `/tasks/${randomUUID()}`),
    () => statusOf('GET', `/users/me/recommendations?limit=50&${'exclude_ids=1&'.repeat(200)}`),
    () => statusOf('GET', '/openapi.json'),
    () => statusOf('GET', '/metrics'),
    // Not JSON, not text, not an address.
    () => statusOf('POST', '/events', brackets),
    (n) => statusOf('GET', `/tasks/${'a'.repeat(n % 4000)}`),
  ];
}
