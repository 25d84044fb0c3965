import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort } from '../../../../db/embedded/host/port.ts';

test('a free port can be listened on, and no system gives it to an outgoing connection', async () => {
  for (let tries = 0; tries < 50; tries++) {
    const port = await freePort();
    assert.ok(port >= 20_000 && port < 32_768, String(port));
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
});
