import assert from 'node:assert/strict';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { describeError } from '../../base/telemetry/describe-error.ts';
import { countEvents } from '../../base/telemetry/metrics.ts';
import {
  logEvents,
  Telemetry,
  type EventName,
  type Events,
  type LogLevel,
} from '../../base/telemetry/telemetry.ts';

type Line = Record<string, unknown> & { level: number; msg: string };

/** The lines written while `work` emits. */
async function logged(level: LogLevel, work: (telemetry: Telemetry) => void): Promise<Line[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-log-'));
  try {
    const file = path.join(folder, 'log');
    const destination = pino.destination({ dest: file, sync: true });
    const telemetry = new Telemetry();
    logEvents(telemetry, level, destination);
    work(telemetry);
    destination.end();
    const text = await readFile(file, 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const succeeded = { jobId: 'j', task: 't', attempt: 1, durationMs: 30 };
const retrying = { jobId: 'j', task: 't', attempt: 1, delayMs: 5, code: 'X', reason: 'r' };
const failed = { jobId: 'j', task: 't', attempt: 1, code: 'X', reason: 'r' };
const died = { jobIds: ['j'], reason: 'r' };

const jobLog = (fields: Record<string, unknown>): Events['job.log'] => ({
  jobId: 'j',
  task: 't',
  message: 'm',
  fields,
});

describe('the log', () => {
  const emitFour = (telemetry: Telemetry) => {
    telemetry.emit('job.succeeded', succeeded);
    telemetry.emit('job.retrying', retrying);
    telemetry.emit('job.failed', failed);
    telemetry.emit('thread.died', died);
  };

  for (const [level, expected] of [
    ['debug', ['job.succeeded', 'job.retrying', 'job.failed', 'thread.died']],
    ['info', ['job.retrying', 'job.failed', 'thread.died']],
    ['warn', ['job.failed', 'thread.died']],
    ['error', ['thread.died']],
    ['silent', []],
  ] as const) {
    test(`at level ${level} has ${expected.join(', ') || 'nothing'}`, async () => {
      const lines = await logged(level, emitFour);
      assert.deepEqual(
        lines.map(({ msg }) => msg),
        expected,
      );
    });
  }

  test('says when, what and with which facts', async () => {
    const [line] = await logged('debug', (it) => it.emit('job.succeeded', succeeded));
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(line?.['durationMs'], 30);
  });

  const SECRETS = [
    'password',
    'authorization',
    'cookie',
    'token',
    'apiKey',
    'secret',
    'payload',
    'connectionString',
  ];

  for (const key of SECRETS) {
    test(`never shows a ${key}, however deep it lies in the facts of a job`, async () => {
      const lines = await logged('debug', (telemetry) => {
        telemetry.emit('job.log', jobLog({ [key]: 'canary', deeper: { [key]: 'canary' } }));
        telemetry.emit('job.succeeded', { ...succeeded, [key]: 'canary' });
      });
      assert.equal(lines.length, 2);
      assert.doesNotMatch(JSON.stringify(lines), /canary/);
      assert.equal(JSON.stringify(lines).split('[redacted]').length - 1, 3);
    });
  }

  test('never shows what a driver hangs on its errors', async () => {
    const error = Object.assign(new Error('refused'), {
      code: 'ECONNREFUSED',
      connectionString: 'canary',
      request: { headers: { authorization: 'canary' } },
      parameters: ['canary'],
    });
    const lines = await logged('info', (it) => it.emit('loop.failed', { loop: 'l', error }));
    const shown = lines[0]?.['error'] as Record<string, unknown>;
    assert.deepEqual([shown['message'], shown['code']], ['refused', 'ECONNREFUSED']);
    assert.doesNotMatch(JSON.stringify(lines), /canary/);
  });
});

describe('an error as data', () => {
  test('has its causes', () => {
    const error = new TypeError('outer', { cause: new Error('inner', { cause: 'a word' }) });
    const { name, message, cause } = describeError(error);
    assert.deepEqual([name, message], ['TypeError', 'outer']);
    assert.deepEqual([cause?.message, cause?.cause], ['inner', { message: 'a word' }]);
  });

  test('has the errors it gathers, for its own message may be empty', () => {
    const { errors } = describeError(new AggregateError([new Error('a'), new Error('b')]));
    assert.deepEqual(
      errors?.map(({ message: each }) => each),
      ['a', 'b'],
    );
  });

  test('ends though it is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    assert.match(JSON.stringify(describeError(error)), /round/);
  });

  test('masks passwords in the URLs that its message and stack quote', () => {
    const error = new Error('cannot reach postgres://me:canary@host/x', {
      cause: 'redis://:p@canary/canary@host',
    });
    const text = JSON.stringify(describeError(error));
    assert.doesNotMatch(text, /canary/);
    assert.match(text, /postgres:\/\/me:\*\*\*@host\/x/);
  });

  test('is at most five frames of stack', () => {
    const { stack } = describeError(new Error('deep'));
    assert.ok(String(stack).split('\n').length <= 5);
  });
});

describe('telemetry', () => {
  test('tells every listener until it unsubscribes', () => {
    const telemetry = new Telemetry();
    const heard: EventName[] = [];
    const off = telemetry.on((event) => heard.push(event));
    telemetry.emit('job.failed', failed);
    off();
    telemetry.emit('job.failed', failed);
    assert.deepEqual(heard, ['job.failed']);
  });

  test('is counted and measured as Prometheus text', async () => {
    const telemetry = new Telemetry();
    const registry = countEvents(telemetry);
    telemetry.emit('job.succeeded', succeeded);
    telemetry.emit('job.succeeded', succeeded);
    telemetry.emit('http.request', {
      requestId: 'r',
      method: 'GET',
      route: '/tasks/:id',
      status: 200,
      durationMs: 8,
    });
    const text = await registry.metrics();
    for (const line of [
      'daodao_events_total{event="job.succeeded"} 2',
      'daodao_events_total{event="http.request"} 1',
      'daodao_job_duration_seconds_count{task="t"} 2',
      'daodao_job_duration_seconds_sum{task="t"} 0.06',
      'daodao_http_duration_seconds_bucket{le="0.01",route="/tasks/:id",method="GET",status="200"} 1',
      'daodao_http_duration_seconds_bucket{le="0.005",route="/tasks/:id",method="GET",status="200"} 0',
    ])
      assert.ok(text.split('\n').includes(line), `${line}\n\n${text}`);
    assert.match(text, /^daodao_resident_bytes \d{7,}$/m);
  });

  test('of two processes in one is counted apart', async () => {
    const [one, two] = [new Telemetry(), new Telemetry()];
    const [first, second] = [countEvents(one), countEvents(two)];
    one.emit('thread.died', died);
    assert.match(await first.metrics(), /event="thread.died"/);
    assert.doesNotMatch(await second.metrics(), /event="thread.died"/);
  });
});

describe('a listener that fails', () => {
  for (const [how, fail] of [
    ['throws', (): never => assert.fail('boom')],
    ['rejects', (async () => assert.fail('boom')) as () => never],
  ] as const) {
    test(`because it ${how} hurts neither who emits nor the others, and is an event`, async () => {
      const telemetry = new Telemetry();
      const heard: string[] = [];
      const told = new Promise<Events['listener.failed']>((resolve) => {
        telemetry.on(fail);
        telemetry.on((event, fields) => {
          heard.push(event);
          if (event === 'listener.failed') resolve(fields as Events['listener.failed']);
        });
      });
      telemetry.emit('tasks.pruned', { rows: 1 });
      const { listenedTo, error } = await told;
      assert.deepEqual([listenedTo, (error as Error).message], ['tasks.pruned', 'boom']);
      assert.ok(heard.includes('tasks.pruned'));
      // What the test runner would call an unhandled rejection comes before the next turn.
      await new Promise(setImmediate);
    });
  }
});
