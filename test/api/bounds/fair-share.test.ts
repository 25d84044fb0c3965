/**
 * Few requests of one account are under way at a time; the others of it wait, and those of other accounts do not.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { LARGE_BYTES } from '../../../api/http/body.ts';
import { REQUESTS_PER_ACCOUNT } from '../../../api/limits.ts';
import { Signals } from '../../support/signals.ts';
import { bearer, createWorld, open, OWNER, PRACTICE_ID, task, user } from '../fixture.ts';

const PATH = `/practices/${PRACTICE_ID}/feedback`;
const MORE = 3;

/** An API whose reads of practices wait until they are let go. */
async function openHeld(t: TestContext) {
  const world = createWorld();
  const begun = new Signals<() => void>();
  const held = { isOver: false };
  world.deps.readers.practiceMaterial = () =>
    new Promise((resolve) => {
      begun.note(() => resolve(world.material));
      if (held.isOver) resolve(world.material);
    });
  const app = await open(t, world);
  const ask = async (headers: Record<string, string>, url = PATH) =>
    (await app.inject({ url, headers })).statusCode;
  return { app, world, begun, held, ask };
}

test('what one account asks for beyond its places waits, and others do not notice', async (t) => {
  const { begun, ask } = await openHeld(t);
  const [owner, other] = [await bearer(OWNER), await bearer(user())];
  const own = Array.from({ length: REQUESTS_PER_ACCOUNT + MORE }, () => ask(owner));
  await begun.count(REQUESTS_PER_ACCOUNT, () => true);
  const theirs = ask(other);
  await begun.count(REQUESTS_PER_ACCOUNT + 1, () => true);
  assert.equal(begun.seen.length, REQUESTS_PER_ACCOUNT + 1, 'the others of the first wait');
  begun.seen.at(-1)!();
  assert.equal(await theirs, 404, 'it is not their practice');
  for (let n = 0; n < own.length + 1; n++) {
    await begun.count(n + 1, () => true);
    begun.seen[n]!();
  }
  assert.deepEqual(
    await Promise.all(own),
    own.map(() => 404),
    'there is no feedback yet',
  );
});

test('a place that is waited for is free when the client has gone, before or after it has it', async (t) => {
  const { app, begun, held, ask } = await openHeld(t);
  const owner = await bearer(OWNER);
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const gone = Array.from({ length: 2 * REQUESTS_PER_ACCOUNT }, () => {
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: ${owner.authorization}\r\n\r\n`,
    );
    return socket;
  });
  await begun.count(REQUESTS_PER_ACCOUNT, () => true);
  for (const socket of gone) socket.destroy();
  held.isOver = true;
  for (const go of begun.seen) go();
  assert.equal(await ask(owner), 404);
});

test('a large body goes alone: what the account asks for beside it waits, and others do not notice', async (t) => {
  const { world, begun, app } = await openHeld(t);
  const [owner, other] = [await bearer(OWNER), await bearer(user())];
  const post = async (headers: Record<string, string>, padding: number) => {
    const body = `{${' '.repeat(padding)}}`;
    const answer = await app.inject({
      method: 'POST',
      url: PATH,
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    });
    return answer.statusCode;
  };
  const small = post(owner, 0);
  await begun.count(1, () => true);
  const large = post(owner, LARGE_BYTES);
  const later = post(owner, 0);
  const theirs = post(other, LARGE_BYTES);
  await begun.count(2, () => true);
  begun.seen[1]!();
  assert.equal(await theirs, 404, 'it is not their practice');
  assert.equal(begun.seen.length, 2, 'the large one waits for the small one');
  begun.seen[0]!();
  await small;
  await begun.count(3, () => true);
  assert.equal(begun.seen.length, 3, 'the last waits for the large one');
  begun.seen[2]!();
  await large;
  await begun.count(4, () => true);
  begun.seen[3]!();
  await later;
  assert.equal(world.tasks.enqueued.length, 3);
});

test('an account rests between large bodies, and not from small ones', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { app, begun, held } = await openHeld(t);
  held.isOver = true;
  const owner = await bearer(OWNER);
  const post = (padding: number) =>
    app.inject({
      method: 'POST',
      url: PATH,
      headers: { ...owner, 'content-type': 'application/json' },
      body: `{${' '.repeat(padding)}}`,
    });
  await post(LARGE_BYTES);
  await post(0);
  assert.equal(begun.seen.length, 2);
  const next = post(LARGE_BYTES);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(begun.seen.length, 2);
  t.mock.timers.tick(100);
  await next;
  assert.equal(begun.seen.length, 3);
});

test('long polls take no place', async (t) => {
  const { app, world, ask } = await openHeld(t);
  const waits = new Signals<AbortSignal>();
  world.tasks.wait = (_ms, signal) => {
    waits.note(signal);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  };
  const { id } = world.tasks.add(task());
  const owner = await bearer(OWNER);
  const polls = Array.from({ length: 2 * REQUESTS_PER_ACCOUNT }, () =>
    ask(owner, `/tasks/${id}?wait=20`),
  );
  await waits.count(2 * REQUESTS_PER_ACCOUNT, () => true);
  assert.equal(await ask(owner, `/tasks/${randomUUID()}`), 404);
  await app.close();
  await Promise.all(polls);
});
