/** What a member with a valid token can do to cost others something. Each act is one request, or a few that belong together. */
import { randomUUID } from 'node:crypto';
import type { Person } from '../../support/app/app.ts';

/** @returns the status of the last answer. @param n differs from act to act. */
type Act = (n: number) => Promise<number>;

const MB = 1024 * 1024;

/** @param origin of the API. @param practice of somebody else, or of nobody. */
export function hostileActs(person: Person, origin: string, practice: string): Act[] {
  const owned: string[] = [];
  const send = async (method: string, path: string, body?: object, headers = {}) =>
    (await person.call(method, path, { ...(body && { body }), headers })).status;
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
  return [
    // A million zeros, a million keys, one long text, and depth.
    () => send('POST', '/events', { events: Array.from({ length: 900_000 }, () => 0) }),
    () =>
      send(
        'POST',
        '/events',
        Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, 0])),
      ),
    () => send('POST', '/events', { events: [event({ page: 'x'.repeat(1.5 * MB) })] }),
    () => send('POST', '/events', { events: Array.from({ length: 500 }, () => deep) }),
    // As many events as a request takes, each new.
    () => send('POST', '/events', { events: Array.from({ length: 500 }, () => event()) }),
    () => send('POST', '/events/view', { entity_type: 'page', entity_id: randomUUID() }),
    // Asking, revoking, and asking again.
    async (n) => {
      if (owned.length < 5) owned.push(await person.practice());
      const path = `/practices/${owned[n % owned.length]}/feedback`;
      const asked = await person.call<{ task_id?: string }>('POST', path, {
        headers: { 'idempotency-key': randomUUID() },
      });
      const { task_id: task } = asked.body;
      return task === undefined ? asked.status : send('DELETE', `/tasks/${task}`);
    },
    // Reading what is not theirs, without end and all at once.
    () => send('GET', `/tasks/${randomUUID()}`),
    () => send('GET', `/users/me/recommendations?limit=50&${'exclude_ids=1&'.repeat(200)}`),
    () => send('GET', '/openapi.json'),
    () => send('GET', '/metrics'),
    // Not JSON, not text, not an address.
    async () => {
      const response = await fetch(new URL('/events', origin), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '['.repeat(200_000),
      });
      await response.arrayBuffer();
      return response.status;
    },
    (n) => send('GET', `/tasks/${'a'.repeat(n % 4000)}`),
  ];
}
