/**
 * A TCP proxy in front of a server, to lose answers, cut connections and let them go half-open.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { atEnd } from '../at-end.ts';

/**
 * `forward`; `mute`: requests arrive, answers are lost; `hold`: nothing passes, and connections made or used meanwhile stay
 * dead afterwards, as after a network that forgot them.
 */
export type ProxyMode = 'forward' | 'mute' | 'hold';

export interface FlakyProxy {
  url: string;
  mode: ProxyMode;
  /** Where new connections lead. */
  target: string;
  /** Breaks every connection. */
  cut(): void;
  /** Breaks every connection on the near side; the server goes on believing in them. */
  leaveGhosts(): void;
}

export async function startFlakyProxy(t: TestContext, target: string): Promise<FlakyProxy> {
  const sockets = new Set<Socket>();
  const near = new Set<Socket>();
  const ghosts = new WeakSet<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const { hostname, port } = new URL(proxy.target);
    const upstream = connect(Number(port), hostname);
    let dead = proxy.mode === 'hold';
    keep(client);
    keep(upstream);
    near.add(client);
    client.on('data', (data) => {
      dead ||= proxy.mode === 'hold';
      if (!dead) upstream.write(data);
    });
    upstream.on('data', (data) => {
      dead ||= proxy.mode === 'hold';
      if (!dead && proxy.mode === 'forward') client.write(data);
    });
    client.on('close', () => {
      near.delete(client);
      if (!ghosts.has(client)) upstream.destroy();
    });
    upstream.on('close', () => {
      if (!dead) client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FlakyProxy = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: 'forward',
    target,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    leaveGhosts() {
      for (const socket of near) {
        ghosts.add(socket);
        socket.destroy();
      }
    },
  };
  atEnd(t, async () => {
    server.close();
    proxy.cut();
    await once(server, 'close');
  });
  return proxy;
}
