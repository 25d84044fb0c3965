/**
 * The application's own entry points as processes, with what they write and how they end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { TestContext } from 'node:test';
import { type ResolvedConfig } from '../../../base/config.ts';
import { packagePath } from '../../../base/package-path.ts';
import { Signals } from '../signals.ts';
import { endWithTest, forget } from '../queue/survivors.ts';

export interface Run {
  child: ChildProcess;
  /** Chunks of both streams. */
  output: Signals<string>;
  text(): string;
  /** Resolves with the first match in the output. */
  wrote(pattern: RegExp): Promise<RegExpExecArray>;
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
}

/**
 * Starts `dist/<file>` with this environment and no other settings. It is killed at the end of the test at the latest.
 */
export function run(
  t: TestContext,
  file: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): Run {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [packagePath('dist', file), ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithTest(child.pid!);
  const output = new Signals<string>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => output.note(chunk));
  const text = (): string => output.seen.join('');
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      forget(child.pid!);
      resolve(signal ?? code ?? 1);
    });
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    output,
    text,
    wrote: (pattern) => output.until(() => pattern.exec(text()) ?? undefined),
    ended,
  };
}

/** The settings that lead a process to these stores. */
export function environmentOf(config: ResolvedConfig): Record<string, string> {
  return {
    DATABASE_URL: config.databaseUrl,
    REDIS_URL: config.redisUrl,
    CLICKHOUSE_URL: config.clickhouseUrl,
    QDRANT_URL: config.qdrantUrl,
    OPENAI_BASE_URL: config.openaiBaseUrl,
    JWT_SECURITY: config.jwtSecurity,
    QUEUE_PREFIX: config.queuePrefix,
    LEASE_MS: String(config.leaseMs),
    SCHEDULES: config.schedules,
    SHUTDOWN_GRACE_MS: String(config.shutdownGraceMs),
    FEEDBACK_PER_DAY: String(config.feedbackPerDay),
  };
}
