/**
 * The runner behind `npm run test:servers`: the tests of vectors, events and recommendations against a real Qdrant and a real
 * ClickHouse, in place of the local vector store and the embedded engine. Both may be empty servers made for this:
 *
 *     QDRANT_URL=http://127.0.0.1:6333 CLICKHOUSE_URL=http://127.0.0.1:8123 npm run test:servers
 */
import { testFiles } from './runner/files.ts';
import { conclude, runOnEngines, untilInterrupted } from './runner/run.ts';

/** What speaks to either. */
const WORDS = [
  'vector',
  'clickhouse',
  'event',
  'embeddings',
  'recommendations',
  'front-end',
  'leaks',
];
/** A file that takes longer on a quiet machine has hung, in milliseconds. */
const HANG_MS = 600_000;

const { QDRANT_URL, CLICKHOUSE_URL } = process.env;
if (QDRANT_URL === undefined && CLICKHOUSE_URL === undefined) {
  process.stderr.write('Set QDRANT_URL, CLICKHOUSE_URL or both to servers that hold nothing.\n');
  process.exitCode = 2;
} else {
  const interrupted = untilInterrupted();
  const files = await testFiles((file) => WORDS.some((word) => file.includes(word)));
  const env = { TEST_QDRANT_URL: QDRANT_URL, TEST_CLICKHOUSE_URL: CLICKHOUSE_URL };
  const again = (file: string): string => `npm run test:servers (${file})`;
  // One file at a time: they share the servers.
  const run = { files, env, concurrency: 1, hangMs: HANG_MS, again };
  conclude(await runOnEngines(run, interrupted), interrupted);
}
