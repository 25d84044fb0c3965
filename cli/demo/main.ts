/**
 * The demo: starts everything embedded in its own data directory, requests feedback on every practice over HTTP like
 * the front end, and shows the results.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signToken } from '../../api/http/auth.ts';
import { startApp, type App } from '../../app.ts';
import { loadEmbeddedConfig, type Config } from '../../base/config.ts';
import { DemoView, type TaskLine } from './view.ts';
import { resolveConfig, type Resolved } from '../../db/embedded/engines.ts';
import { forgetFeedback } from '../../db/seed/forget.ts';
import { createPool } from '../../db/stores/postgres.ts';
import { prepareStores, seedStores } from '../prepare.ts';
import { SEED_USERS } from '../../db/seed/seed.ts';
import { SEED_PRACTICES } from '../../db/seed/practices.ts';
import { onReaderGone } from '../output.ts';
import { logEvents, Telemetry } from '../../base/telemetry/telemetry.ts';

/** Polling interval of tasks, in milliseconds. */
const LOOK_MS = 100;
/** The demo fails after this long, in milliseconds. */
const PATIENCE_MS = 50_000;

interface TaskBody {
  status: string;
  progress: { value: number; note: string | null } | null;
  error: { code: string } | null;
}

interface FeedbackBody {
  text: string;
  locale: string;
  provider: string;
}

interface Asked {
  title: string;
  practiceId: string;
  locale: string;
  token: string;
  taskUrl: string;
  acceptedMs: number;
}

/** Refusals that the seed provokes on purpose. */
const INTENDED: Record<string, string> = {
  PRACTICE_NOT_COMPLETED: 'still under way',
  FEEDBACK_NOT_ENOUGH_CONTENT: 'too little written',
};

const view = new DemoView();

function demoConfig(): Config {
  const { config, ignored } = loadEmbeddedConfig();
  if (ignored.length > 0) {
    view.line(`The demo runs on embedded stores only; ignored: ${ignored.join(', ')}`);
  }
  return {
    ...config,
    role: 'all',
    port: 0,
    logLevel: config.logLevel === 'info' ? 'warn' : config.logLevel,
    dataDir: path.join(config.dataDir, 'demo'),
  };
}

async function call<T>(
  url: string,
  token: string,
  method = 'GET',
): Promise<{ status: number; body: T }> {
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: (await response.json()) as T };
}

/** Requests feedback on every practice and prints the reason of each refusal. */
async function askForAll(
  origin: string,
  secret: string,
): Promise<{ asked: Asked[]; allAsIntended: boolean }> {
  const asked: Asked[] = [];
  let allAsIntended = true;
  for (const { externalId: practiceId, title, owner } of SEED_PRACTICES) {
    const user = SEED_USERS.find(({ id }) => id === owner.id)!;
    const claims = { id: user.id, _id: user.externalId, username: user.nickname, isTemp: false };
    const token = await signToken(
      secret,
      { ...claims, roles: [], permissions: [] },
      { expiresInSeconds: 600 },
    );
    const startedMs = performance.now();
    const { status, body } = await call<{ task_id: string; error?: { code: string } }>(
      `${origin}/practices/${practiceId}/feedback`,
      token,
      'POST',
    );
    const acceptedMs = performance.now() - startedMs;
    if (status === 202) {
      const taskUrl = `${origin}/tasks/${body.task_id}`;
      asked.push({ title, practiceId, locale: user.locale, token, taskUrl, acceptedMs });
    } else {
      const code = body.error?.code ?? '';
      view.line(`  ${refusal(status, code)} ${title}`);
      if (INTENDED[code] === undefined) allAsIntended = false;
    }
  }
  return { asked, allAsIntended: allAsIntended && asked.length > 0 };
}

function refusal(status: number, code: string): string {
  const reason = INTENDED[code];
  return reason === undefined
    ? `✘ ${status} ${code}`
    : `– ${status} as intended: ${reason.padEnd(18)}`;
}

/** Polls until every task has ended. @returns whether all are done. */
async function follow(asked: readonly Asked[]): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const tasks = await Promise.all(
      asked.map(({ taskUrl, token }) => call<TaskBody>(taskUrl, token)),
    );
    const lines = tasks.map(({ body }, index) => toLine(asked[index]!.title, body));
    view.tasks(lines);
    if (lines.every(({ status }) => status === 'done' || status === 'error')) {
      return lines.every(({ status }) => status === 'done');
    }
    if (performance.now() > deadline) return false;
    await sleep(LOOK_MS);
  }
}

function toLine(title: string, { status, progress }: TaskBody): TaskLine {
  return {
    title,
    status,
    progress: status === 'done' ? 1 : (progress?.value ?? 0),
    note: progress?.note ?? null,
  };
}

async function showOnePerLanguage(origin: string, asked: readonly Asked[]): Promise<void> {
  for (const locale of ['zh-TW', 'en']) {
    const example = asked.find((item) => item.locale === locale);
    if (example === undefined) continue;
    const url = `${origin}/practices/${example.practiceId}/feedback`;
    const { body } = await call<FeedbackBody>(url, example.token);
    view.heading(`${example.title}  (${body.locale}, written by: ${body.provider})`);
    for (const paragraph of body.text.split('\n').filter((text) => text !== '')) {
      view.line();
      view.line(`  ${paragraph}`);
    }
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

let engines: Resolved | undefined;
let starting: Promise<App> | undefined;
let isStopping = false;

/** Ends early, after a start under way; later errors are dropped. */
async function stop(code: number): Promise<void> {
  isStopping = true;
  try {
    const app = await starting;
    await app?.stop();
    await engines?.stop();
  } finally {
    process.exit(code);
  }
}

async function demo(): Promise<boolean> {
  const interrupt = (): void => void stop(130);
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const config = demoConfig();
  const telemetry = new Telemetry();
  const logger = logEvents(telemetry, config.logLevel);
  onReaderGone(() => {
    // The log often shares the pipe, and writing to a broken pipe never ends.
    logger.level = 'silent';
    void stop(0);
  });
  const startedMs = performance.now();
  view.heading('Starting');
  engines = await resolveConfig(
    config,
    ({ name, note }, ms) => view.line(`  ✔ ${name.padEnd(11)} ${seconds(ms)}   ${note}`),
    (reason) => view.line(`  … ${reason}`),
  );
  try {
    await prepareStores(engines.config, { readModel: true });
    await seedStores(engines.config);
    const db = createPool(engines.config.databaseUrl, { max: 1, name: 'daodao-demo' });
    try {
      await forgetFeedback(db);
    } finally {
      await db.end();
    }
    if (isStopping) return false;
    starting = startApp(engines.config, telemetry);
    const app = await starting;
    try {
      view.line(`  ready in ${seconds(performance.now() - startedMs)}`);
      return await guide(app.origin!, engines.config.jwtSecurity);
    } finally {
      await app.stop();
    }
  } finally {
    await engines.stop();
  }
}

async function guide(origin: string, secret: string): Promise<boolean> {
  view.heading('Requesting feedback on every practice');
  const startedMs = performance.now();
  const { asked, allAsIntended } = await askForAll(origin, secret);
  const allDone = await follow(asked);
  const tookMs = performance.now() - startedMs;
  await showOnePerLanguage(origin, asked);
  const accepted = asked.map(({ acceptedMs }) => acceptedMs).toSorted((a, b) => a - b);
  const median = accepted[Math.floor(accepted.length / 2)] ?? 0;
  view.heading('Timing');
  view.line(`  ${asked.length} requests accepted in ${median.toFixed(0)} ms each (median)`);
  view.line(`  ${asked.length} tasks ${allDone ? 'done' : 'NOT all done'} in ${seconds(tookMs)}`);
  view.heading('Next');
  view.line('  npm start            keeps running, with docs and curl commands to paste');
  view.line(
    '  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 LLM_MODEL=<model> npm start    with a real model',
  );
  return allDone && allAsIntended;
}

try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  if (!isStopping) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
