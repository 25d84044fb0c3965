/** A server that answers every request like a ClickHouse or Qdrant that is asked whether it is there. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function startAnswering(): Promise<{ url: string; stop(): void }> {
  const server = createServer(({ url }, response) =>
    response.end(url === '/collections' ? '{"result":{"collections":[]}}' : '1\n'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
