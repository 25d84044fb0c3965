/**
 * The child process of an engine of this project: serves what the module of its first argument exports, reports the address or the
 * error, and stops when the parent disconnects.
 */
import type { Failed, Ready, Serve } from './engine.ts';

const [, , module = '', options = '{}'] = process.argv;

async function serve(): Promise<void> {
  let server: Awaited<ReturnType<Serve<unknown>>>;
  try {
    const engine = (await import(module)) as { serve: Serve<unknown> };
    server = await engine.serve(JSON.parse(options));
  } catch (error) {
    const failed: Failed = { error: error instanceof Error ? error.message : String(error) };
    process.send?.(failed, () => process.exit(1));
    return;
  }
  const { url, note } = server;
  process.once('disconnect', () => {
    void server.stop().finally(() => process.exit(0));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => undefined);
  if (!process.connected) await server.stop().finally(() => process.exit(0));
  // Ignores a failed send: the parent has died, and its disconnect ends this process.
  process.send?.({ url, note } satisfies Ready, () => undefined);
}

await serve();
