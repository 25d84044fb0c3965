/**
 * The application as a process of its own on stores of its own, whose event loop is watched from within: nothing that asks it shares the
 * loop.
 */
import type { TestContext } from 'node:test';
import { atEnd } from '../at-end.ts';
import { startTestClickhouse } from '../stores/clickhouse.ts';
import { startTestVectorStore } from '../stores/vector-store.ts';
import { createTestStores, type TestStores } from './app.ts';
import type { LoopReport } from './loop-main.ts';
import { environmentOf, run, type Run } from './process.ts';

export interface WatchedApp extends Run {
  origin: string;
  stores: TestStores;
  /** About its event loop since the last call, or since it began to listen. */
  loop(): Promise<LoopReport>;
}

const WATCH = new URL('loop-main.js', import.meta.url);

/** Starts it on a free port, and stops it at the end of the test. @param settings beside those that lead to its stores. */
export async function runWatched(
  t: TestContext,
  settings: Record<string, string>,
): Promise<WatchedApp> {
  const stores = await createTestStores();
  atEnd(t, () => stores.drop());
  const [clickhouse, vectors] = await Promise.all([startTestClickhouse(), startTestVectorStore()]);
  atEnd(t, () => Promise.all([clickhouse.stop(), vectors.stop()]));
  const urls = { clickhouseUrl: clickhouse.url, qdrantUrl: vectors.url };
  const app = run(t, 'main.js', {
    ...environmentOf({ ...stores.config, ...urls }),
    PORT: '0',
    NODE_OPTIONS: `--import=${WATCH.href}`,
    ...settings,
  });
  atEnd(t, async () => {
    app.child.kill('SIGTERM');
    await app.ended;
  });
  const { seen } = app.output;
  const loop = async (): Promise<LoopReport> => {
    const from = seen.length;
    app.child.kill('SIGUSR2');
    const find = () => /^event loop (.*)\n/m.exec(seen.slice(from).join('')) ?? undefined;
    const [, report = ''] = await app.output.until(find);
    return JSON.parse(report) as LoopReport;
  };
  const [, origin = ''] = await app.wrote(/back end on (http:\/\/\S+)/);
  await loop();
  return { ...app, origin, stores, loop };
}
