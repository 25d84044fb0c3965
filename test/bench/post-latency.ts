/**
 * How long a request for feedback takes to be accepted while the model is slow, and what an idle process costs:
 *
 *     node dist/test/bench/post-latency.js
 *
 * Everything runs embedded in a directory of its own. The targets: a median under 20 ms, and under 200 MB resident.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { signToken } from '../../api/http/auth.ts';
import { packagePath } from '../../base/package-path.ts';
import { findRunning } from '../../db/embedded/host/lock.ts';
import { createPool, type Pool } from '../../db/stores/postgres.ts';
import { insertCheckIn, insertPractice, insertUser } from '../support/domain/practices.ts';

const REQUESTS = 200;
/** Requests before the clock counts: connections are made, code is compiled. */
const WARM_UP = 20;
const IDLE_MS = 5000;
const NOTE =
  '今天比昨天早十分鐘開始，窗邊的光剛好落在書頁上，讀到第三章時忽然懂了作者為什麼要從結尾寫起。';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function insertPractices(db: Pool, userId: number, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const columns = { title: `習慣 ${index}`, progress_percentage: 100 };
    const { id, externalId } = await insertPractice(db, userId, columns);
    for (const day of ['2026-01-05', '2026-01-07', '2026-01-09'])
      await insertCheckIn(db, id, userId, day, { note: NOTE, mood: 'good' });
    ids.push(externalId);
  }
  return ids;
}

async function residentMegabytes(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024).toFixed(0);
}

async function post(url: string, token: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`${url} answered ${response.status}`);
  return performance.now() - startedMs;
}

async function measure(origin: string, dataDir: string): Promise<void> {
  const urls = findRunning(dataDir)!;
  const secret = await readFile(path.join(dataDir, 'jwt-secret'), 'utf8');
  const db = createPool(urls['postgres']!, { max: 1, name: 'daodao-bench' });
  try {
    const { id, externalId } = await insertUser(db);
    const practices = await insertPractices(db, id, WARM_UP + REQUESTS);
    const claims = { id, _id: externalId, username: 'bench', isTemp: false };
    const roles = { roles: [], permissions: [] };
    const token = await signToken(secret, { ...claims, ...roles }, { expiresInSeconds: 600 });
    const times: number[] = [];
    for (const practice of practices)
      times.push(await post(`${origin}/practices/${practice}/feedback`, token));
    const sorted = times.slice(WARM_UP).toSorted((a, b) => a - b);
    const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!.toFixed(1);
    say(`POST, ${REQUESTS} practices one after the other:`);
    say(`  median ${percentile(0.5)} ms   p95 ${percentile(0.95)} ms   p99 ${percentile(0.99)} ms`);
    const { rows } = await db.query<{ status: string; count: number }>(
      'SELECT status, count(*)::int FROM ai.tasks GROUP BY status ORDER BY status',
    );
    say(
      `  meanwhile the tasks are: ${rows.map(({ status, count }) => `${count} ${status}`).join(', ')}`,
    );
  } finally {
    await db.end();
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'daodao-bench-'));
// Postgres runs under an unprivileged account, which must be able to pass through.
await chmod(folder, 0o711);
const dataDir = path.join(folder, 'data');
const main = spawn(process.execPath, [packagePath('dist', 'main.js')], {
  env: {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'warn',
    OFFLINE_COACH_DELAY_MS: '20000',
    FEEDBACK_PER_DAY: '1000',
    SHUTDOWN_GRACE_MS: '0',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(main, 'exit');
try {
  const lines = createInterface({ input: main.stdout });
  for await (const line of lines) {
    const origin = /back end on (http:\S+)/.exec(line)?.[1];
    if (origin === undefined) continue;
    await sleep(IDLE_MS);
    say(`Resident after ${IDLE_MS / 1000} s idle: ${await residentMegabytes(main.pid!)} MB`);
    await measure(origin, dataDir);
    say(`Resident with all that waiting: ${await residentMegabytes(main.pid!)} MB`);
    break;
  }
} finally {
  main.kill('SIGTERM');
  await ended;
  await rm(folder, { recursive: true, force: true });
}
