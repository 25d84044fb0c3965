/**
 * The runner behind `npm run test:servers`: the tests of vectors, events and recommendations against a real Qdrant and a real
 * ClickHouse, in place of the local vector store and the embedded engine. Both may be empty servers made for this:
 *
 *     QDRANT_URL=http://127.0.0.1:6333 CLICKHOUSE_URL=http://127.0.0.1:8123 npm run test:servers
 */
import { compiledTests, runTests, untilInterrupted, withEngines } from './support/runner.ts';

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
const TEST_TIMEOUT_MS = 600_000;

const { QDRANT_URL, CLICKHOUSE_URL } = process.env;
if (QDRANT_URL === undefined && CLICKHOUSE_URL === undefined) {
  process.stderr.write('Set QDRANT_URL, CLICKHOUSE_URL or both to servers that hold nothing.\n');
  process.exitCode = 2;
} else {
  const interrupted = untilInterrupted();
  const files = await compiledTests((file) => WORDS.some((word) => file.includes(word)));
  const servers = { TEST_QDRANT_URL: QDRANT_URL, TEST_CLICKHOUSE_URL: CLICKHOUSE_URL };
  await withEngines(async (engines) => {
    // One file at a time: they share the servers.
    const env = { ...engines, ...servers };
    const run = { files, env, concurrency: 1, timeoutMs: TEST_TIMEOUT_MS };
    process.exitCode = await runTests(run, interrupted);
  });
}
