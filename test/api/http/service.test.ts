/**
 * The server on real sockets: listening, draining, closing.
 */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { HANDLER_TIMEOUT_MS, MAX_WAIT_SECONDS } from '../../../api/http/timeouts.ts';
import { apiService } from '../../../api/services.ts';
import { AppError } from '../../../base/errors.ts';
import { bearer, config, createWorld, open, PRACTICE_ID } from '../fixture.ts';

test('a port in use is an error that names the port and the variable', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const world = createWorld();
  world.deps.config = config({ port });
  const service = apiService(world.deps);
  t.after(() => service.stop());
  await assert.rejects(service.start(), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, new RegExp(`Port ${port} .*in use.*PORT`));
    return true;
  });
});

test('stop is safe before start, and when called twice', async () => {
  const service = apiService(createWorld().deps);
  await service.stop();
  await service.start();
  assert.equal((await fetch(`${service.origin}/health`)).status, 200);
  const { origin } = service;
  await Promise.all([service.stop(), service.stop()]);
  await service.stop();
  await assert.rejects(fetch(`${origin}/health`));
});

test('stop lets what is being answered finish, then closes kept and unused connections', async (t) => {
  const world = createWorld();
  const moments = new EventEmitter<{ asked: []; proceed: [] }>();
  world.deps.readers.practiceMaterial = async (id) => {
    moments.emit('asked');
    await once(moments, 'proceed');
    return id === PRACTICE_ID ? world.material : undefined;
  };
  const service = apiService(world.deps);
  await service.start();
  const { origin = '' } = service;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());

  const unused = connect(Number(new URL(origin).port), '127.0.0.1');
  await once(unused, 'connect');
  const unusedClosed = once(unused.resume(), 'close');
  const quick = request(`${origin}/health`, { agent }).end();
  const [keptSocket] = (await once(quick, 'socket')) as [Socket];
  assert.equal((await answer(quick)).headers.connection, 'keep-alive');
  const keptClosed = once(keptSocket, 'close');

  const asked = once(moments, 'asked');
  const slow = request(`${origin}/practices/${PRACTICE_ID}/feedback`, {
    method: 'POST',
    headers: await bearer(),
  });
  slow.end();
  await asked;
  const stopped = service.stop();
  await keptClosed;
  moments.emit('proceed');
  const answered = await answer(slow);
  assert.equal(answered.statusCode, 202);
  assert.equal(answered.headers.connection, 'close');
  await stopped;
  await unusedClosed;
});

test('stop does not wait longer than the grace for a handler that hangs', async () => {
  const world = createWorld();
  world.deps.config = config({ shutdownGraceMs: 20 });
  const moments = new EventEmitter<{ asked: [] }>();
  world.deps.readers.practiceMaterial = () => {
    moments.emit('asked');
    return new Promise(() => undefined);
  };
  const service = apiService(world.deps);
  await service.start();
  const asked = once(moments, 'asked');
  const hanging = assert.rejects(
    fetch(`${service.origin}/practices/${PRACTICE_ID}/feedback`, { headers: await bearer() }),
  );
  await asked;
  await service.stop();
  await hanging;
});

test('nothing waits for ever: every timeout is set, and each is longer than what it contains', async (t) => {
  const app = await open(t, createWorld());
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = app.server;
  assert.deepEqual(
    { headersTimeout, requestTimeout, timeout, keepAliveTimeout },
    { headersTimeout: 10_000, requestTimeout: 15_000, timeout: 35_000, keepAliveTimeout: 65_000 },
  );
  assert.ok(MAX_WAIT_SECONDS * 1000 < HANDLER_TIMEOUT_MS && HANDLER_TIMEOUT_MS < timeout);
});

test("a body that stops half way is nobody's error", async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const served = once(app.server, 'request') as Promise<[unknown, ServerResponse]>;
  const sent = request(`${app.listeningOrigin}/practices/${PRACTICE_ID}/feedback`, {
    method: 'POST',
    headers: { ...(await bearer()), 'content-type': 'application/json', 'content-length': 100 },
  });
  sent.on('error', () => undefined).write('{"loc');
  const [, response] = await served;
  const closed = once(response, 'close');
  sent.destroy();
  await closed;
  await app.close();
  assert.deepEqual(
    world.events.filter(({ event }) => event === 'http.error'),
    [],
  );
});

async function answer(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}
