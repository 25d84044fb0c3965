import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Control, Inspector, type ConsumerOptions } from '../../../../jobs/queue/index.ts';
import { eventually, startConsumer, type TestConsumer } from '../../../support/queue/consumers.ts';
import { startFlakyProxy } from '../../../support/stores/flaky-proxy.ts';
import { stretched } from '../../../support/patience.ts';
import {
  answer,
  redisUrl,
  testQueue,
  uuid,
  type TestQueue,
} from '../../../support/queue/scripts.ts';
import { Signals } from '../../../support/signals.ts';
import { startWorker, workerLog } from '../../../support/threads/worker-processes.ts';

type Commanded = NonNullable<ConsumerOptions['commanded']>;

/** Longer than any test may take: what ends ends without it. */
const TIMEOUT_MS = 3_600_000;

const start = (queue: TestQueue, commanded?: Commanded): Promise<TestConsumer> =>
  startConsumer(queue, commanded === undefined ? {} : { commanded });

const kinds = (answers: readonly { worker: string; kind: string }[]) =>
  Object.fromEntries(answers.map(({ worker, kind }) => [worker, kind]));

test('every worker is asked, and its answer or its error comes back under its id', async (t) => {
  const queue = testQueue(t);
  const good = await start(queue, async (verb, args) => ({ verb, args }));
  const bad = await start(queue, async () => Promise.reject(new Error('not today')));
  const deaf = await start(queue);
  const control = new Control(queue.another());
  // It ends with the last answer.
  const answers = await control.broadcast('greet', { name: '小禾' }, { timeoutMs: TIMEOUT_MS });
  const byWorker = new Map(answers.map(({ worker, ...rest }) => [worker, rest]));
  assert.deepEqual(byWorker.get(good.consumer.id), {
    kind: 'answered',
    answer: { verb: 'greet', args: { name: '小禾' } },
  });
  assert.deepEqual(byWorker.get(bad.consumer.id), { kind: 'refused', error: 'not today' });
  assert.deepEqual(byWorker.get(deaf.consumer.id), {
    kind: 'refused',
    error: 'This worker takes no commands.',
  });
  assert.equal(answers.length, 3);
});

test('only the workers named are asked; one that is not registered is unknown', async (t) => {
  const queue = testQueue(t);
  const heard: string[] = [];
  const one = await start(queue, async () => heard.push('one'));
  await start(queue, async () => heard.push('two'));
  const workers = [one.consumer.id, uuid('nobody'), one.consumer.id];
  // One named twice answers once, and no second answer is waited for.
  const answers = await new Control(queue.broker).broadcast('x', null, {
    timeoutMs: TIMEOUT_MS,
    workers,
  });
  assert.deepEqual(kinds(answers), { [one.consumer.id]: 'answered', [uuid('nobody')]: 'unknown' });
  assert.deepEqual(heard, ['one']);
});

test('without a worker there is nothing to wait for', async (t) => {
  const queue = testQueue(t);
  assert.deepEqual(
    await new Control(queue.broker).broadcast('x', null, { timeoutMs: TIMEOUT_MS }),
    [],
  );
});

test('a worker that is frozen is silent, and holds the caller no longer than its time', async (t) => {
  const queue = testQueue(t);
  const { file } = workerLog(t);
  const url = redisUrl();
  const { prefix } = queue;
  const frozen = await startWorker(t, { url, prefix, limit: 1, leaseMs: 60_000, log: file });
  const awake = await start(queue, async () => 'here');
  frozen.kill('SIGSTOP');
  const startedMs = performance.now();
  // Long enough for the one that is awake on any machine.
  const timeoutMs = stretched(1000);
  const answers = await new Control(queue.broker).broadcast('x', null, { timeoutMs });
  assert.ok(performance.now() - startedMs >= timeoutMs - 5, 'it was waited for');
  assert.deepEqual(kinds(answers), { [awake.consumer.id]: 'answered', [frozen.id]: 'silent' });
  frozen.kill('SIGKILL');
  await frozen.exited;
});

test('a command that never ends holds neither the caller nor the commands after it', async (t) => {
  const queue = testQueue(t);
  const { consumer } = await start(queue, (verb) =>
    verb === 'hang' ? new Promise(() => undefined) : Promise.resolve('here'),
  );
  const control = new Control(queue.broker);
  const [hung] = await control.broadcast('hang', null, { timeoutMs: stretched(500) });
  assert.deepEqual(hung, { worker: consumer.id, kind: 'silent' });
  const [next] = await control.broadcast('ping', null, { timeoutMs: TIMEOUT_MS });
  assert.deepEqual(next, { worker: consumer.id, kind: 'answered', answer: 'here' });
});

test('a Redis that does not answer holds the caller no longer than its time either', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const broker = queue.another({ url: proxy.url });
  const control = new Control(broker);
  await control.broadcast('x', null, { timeoutMs: TIMEOUT_MS });
  proxy.mode = 'hold';
  // Any other call ends with its deadline, some seconds later.
  const other = new Inspector(broker).status(uuid('a')).catch(() => 'later');
  const asking = answer(control.broadcast('x', null, { timeoutMs: 300 }));
  assert.equal(await Promise.race([other, asking]), 'REDIS_UNAVAILABLE');
});

test('a command that lies in the inbox twice is done once', async (t) => {
  const queue = testQueue(t);
  const heard = new Signals<unknown>();
  const { consumer } = await start(queue, async (_, args) => heard.note(args));
  const command = (name: string) => `m${JSON.stringify({ id: uuid(name), verb: 'x', args: name })}`;
  const inbox = queue.broker.key(0, `inbox:${consumer.id}`);
  await queue.redis.rpush(inbox, command('a'), command('a'));
  await queue.redis.rpush(inbox, command('a'), command('b'));
  await heard.first((name) => name === 'b');
  assert.deepEqual(heard.seen, ['a', 'b']);
});

test('a command survives the resync of a worker whose inbox connection broke', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const heard = new Signals<unknown>();
  const commanded: Commanded = async (_, args) => heard.note(args);
  const broker = queue.another({ url: proxy.url });
  const { consumer } = await startConsumer(queue, { commanded }, broker);
  const { target } = proxy;
  proxy.target = 'redis://127.0.0.1:1';
  proxy.cut();
  const clients = async () => String(await queue.redis.client('LIST'));
  await eventually(
    'the inbox is unread',
    async () => !(await clients()).includes(`inbox:${consumer.id} `),
  );
  const control = new Control(queue.broker);
  const asking = control.broadcast('x', 'while away', { timeoutMs: TIMEOUT_MS });
  await eventually(
    'it is there',
    async () => (await queue.redis.llen(queue.broker.key(0, `inbox:${consumer.id}`))) === 1,
  );
  proxy.target = target;
  const [reply] = await asking;
  assert.equal(reply?.kind, 'answered');
  assert.deepEqual(heard.seen, ['while away']);
});

test('answers and commands are bounded', async (t) => {
  const queue = testQueue(t);
  await start(queue, async () => 'x'.repeat(300_000));
  const control = new Control(queue.broker);
  const [reply] = await control.broadcast('x', null, { timeoutMs: TIMEOUT_MS });
  assert.equal(reply?.kind, 'refused');
  assert.match(reply.error, /longer than 256 KiB/);
  const long = control.broadcast('x', 'x'.repeat(17_000), { timeoutMs: TIMEOUT_MS });
  await assert.rejects(long, { code: 'COMMAND_INVALID' });
});

test('answers are forgotten after a minute, whoever reads them', async (t) => {
  const queue = testQueue(t);
  const { broker, redis } = queue;
  await broker.run('reply', 0, [uuid('call'), `${uuid('w')}\n{"answer":1}`]);
  const livesS = await redis.ttl(broker.key(0, `reply:${uuid('call')}`));
  assert.ok(livesS > 0 && livesS <= 60, `${livesS} s`);
  await start(queue, async () => 1);
  await new Control(broker).broadcast('x', null, { timeoutMs: TIMEOUT_MS });
  const left = await redis.keys(broker.key(0, 'reply:*'));
  assert.deepEqual(left, [broker.key(0, `reply:${uuid('call')}`)]);
});
