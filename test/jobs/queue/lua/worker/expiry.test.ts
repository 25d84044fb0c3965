/**
 * A job that expires is never handed over: it goes into line, and an idle worker is told to claim it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Inspector } from '../../../../../jobs/queue/index.ts';
import {
  eventually,
  startConsumer,
  type TestConsumer,
} from '../../../../support/queue/consumers.ts';
import {
  record,
  request,
  testQueue,
  uuid,
  type State,
  type TestQueue,
} from '../../../../support/queue/scripts.ts';
import { step, stepReply, testRows } from '../../../../support/stores/rows.ts';

const A = record('a');
const C = record('c');
const E = record('e', { expires: 'T+60s' });
const soon = () => ({ expiresInMs: 60_000 });
const jobsOf = (...names: string[]): State => ({
  jobs: Object.fromEntries(
    names.map((name) => [`@${name}`, name.startsWith('e') ? of(name) : record(name)]),
  ),
});
const of = (name: string) => record(name, { expires: 'T+60s' });

describe('with idle workers', () => {
  testRows([
    {
      name: 'a job that expires goes into line, and the longest idle worker looks for it, idle no longer',
      before: {
        'idle:main': { '@v': 'T-60s', '@w': 'T-5s' },
        free: { '@v': '5', '@w': '5' },
      },
      call: (broker) => broker.enqueue(0, [request('e', soon())]),
      reply: ['added'],
      after: {
        ...jobsOf('e'),
        'wait:main:5': ['@e'],
        'inbox:@v': ['c'],
        'idle:main': { '@w': 'T-5s' },
        free: { '@w': '5' },
        queues: ['main'],
      },
    },
    {
      name: 'what came before it is handed over, what came after it keeps its place behind it',
      before: { 'idle:main': { '@w': 'T-5s' }, free: { '@w': '5' } },
      call: (broker) =>
        broker.enqueue(0, [request('a'), request('b'), request('e', soon()), request('c')]),
      reply: ['added', 'added', 'added', 'added'],
      after: {
        ...jobsOf('a', 'b', 'e', 'c'),
        'wait:main:5': ['@e', '@c'],
        'lease:@w': ['@a', '@b'],
        'inbox:@w': [`j@a\n${A}`, `j@b\n${record('b')}`, 'c'],
        queues: ['main'],
      },
    },
    {
      name: 'several have as many workers look, and none of those without room',
      before: {
        'idle:main': { '@t': 'T-90s', '@u': 'T-60s', '@v': 'T-30s', '@w': 'T-5s' },
        free: { '@t': '0', '@u': '1', '@v': '1', '@w': '1' },
      },
      call: (broker) => broker.enqueue(0, [request('e1', soon()), request('e2', soon())]),
      reply: ['added', 'added'],
      after: {
        ...jobsOf('e1', 'e2'),
        'wait:main:5': ['@e1', '@e2'],
        'inbox:@u': ['c'],
        'inbox:@v': ['c'],
        'idle:main': { '@w': 'T-5s' },
        free: { '@t': '0', '@w': '1' },
        queues: ['main'],
      },
    },
    {
      name: 'the next job waits in line behind it until the worker has looked, whatever its queue',
      before: {
        'idle:main': { '@w': 'T-5s' },
        'idle:two': { '@w': 'T-5s' },
        free: { '@w': '5' },
      },
      call: async (broker) => {
        await broker.enqueue(0, [request('e', soon())]);
        return broker.enqueue(0, [request('c'), request('d', { queue: 'two' })]);
      },
      reply: ['added', 'added'],
      after: {
        jobs: { '@e': E, '@c': C, '@d': record('d', { queue: 'two' }) },
        'wait:main:5': ['@e', '@c'],
        'wait:two:5': ['@d'],
        'inbox:@w': ['c'],
        queues: ['main', 'two'],
      },
    },
    {
      name: 'one that is put back goes to the head of its line',
      before: {
        workers: { '@w': 'T+60s' },
        ...jobsOf('c', 'e'),
        'wait:main:5': ['@c'],
        'lease:@w': ['@e'],
        'idle:main': { '@v': 'T-5s' },
        free: { '@v': '1' },
      },
      call: (broker) => step(broker, { back: ['@e', 0, ''] }),
      reply: stepReply(),
      after: {
        workers: { '@w': 'T+60s' },
        ...jobsOf('c', 'e'),
        'wait:main:5': ['@e', '@c'],
        'inbox:@v': ['c'],
        'replies:@w': { 1: '|', last: '1' },
      },
    },
    {
      name: 'of a paused queue nobody is told',
      before: { 'idle:main': { '@w': 'T-5s' }, free: { '@w': '5' }, paused: ['main'] },
      call: (broker) => broker.enqueue(0, [request('e', soon())]),
      reply: ['added'],
      after: {
        ...jobsOf('e'),
        'wait:main:5': ['@e'],
        'idle:main': { '@w': 'T-5s' },
        free: { '@w': '5' },
        paused: ['main'],
        queues: ['main'],
      },
    },
  ]);
});

/** A consumer that waits for jobs, and would wait twenty minutes for a heartbeat to look by itself. */
async function idleConsumer(queue: TestQueue): Promise<TestConsumer> {
  const worker = await startConsumer(queue, { leaseMs: 3_600_000, settle: true });
  await eventually('idle', async () => 'free' in (await queue.read()));
  return worker;
}

async function endsAsExpired(queue: TestQueue, name: string): Promise<void> {
  await eventually(`${name} has ended`, async () => {
    const { state, reason } = await new Inspector(queue.broker).status(uuid(name));
    return state === 'revoked' && reason?.code === 'JOB_EXPIRED';
  });
}

test('an idle worker is never given a job that has expired', async (t) => {
  const queue = testQueue(t);
  const worker = await idleConsumer(queue);
  await queue.broker.enqueue(0, [request('e', { expiresInMs: 0 })]);
  await endsAsExpired(queue, 'e');
  await queue.broker.enqueue(0, [request('a')]);
  await worker.until(1);
  assert.deepEqual(worker.names(), ['@a']);
});

test('an idle worker gets a job that expires later at once, again and again', async (t) => {
  const queue = testQueue(t);
  const worker = await idleConsumer(queue);
  for (let turn = 1; turn <= 10; turn++) {
    await queue.broker.enqueue(0, [request(`e${turn}`, soon())]);
    await worker.until(turn);
  }
});

test('a delayed job that expires while it waits is not delivered', async (t) => {
  const queue = testQueue(t);
  const worker = await idleConsumer(queue);
  await queue.broker.enqueue(0, [request('e', { delayMs: 400, expiresInMs: 200 })]);
  await queue.broker.enqueue(0, [request('later', { delayMs: 410 })]);
  await worker.until(1);
  await endsAsExpired(queue, 'e');
  assert.deepEqual(worker.names(), ['@later']);
});
