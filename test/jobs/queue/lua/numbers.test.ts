import { describe } from 'node:test';
import { answer, record, type State } from '../../../support/queue/scripts.ts';
import { leased, step, stepReply, testRows } from '../../../support/stores/rows.ts';

const A = record('a');
const B = record('b', { priority: 2 });
const RESULT = `r1{"q":"main","n":"work","c":T,"f":T,"d":"0123456789abcdef"}\n"done"`;
const HOLDS: State = {
  workers: { '@w': 'T+60s' },
  jobs: { '@a': A, '@b': B },
  'lease:@w': ['@a', '@b'],
};

describe('step is numbered', () => {
  testRows([
    {
      name: 'a repeated number gets the same answer and changes nothing',
      before: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A, '@b': RESULT, '@c': record('c') },
        'lease:@w': ['@a'],
        counts: { '@a': '1:0:' },
        'wait:main:5': ['@c'],
        'replies:@w': { 6: '|', 7: '@a|@x', last: '7' },
      },
      call: (broker) =>
        step(broker, { seq: 7, free: 5, known: 1, succeeded: ['@a', RESULT, '@x', RESULT] }),
      reply: stepReply({ more: true, lost: ['@x'], claimed: [leased('a', A, '1:0:')] }),
    },
    {
      name: 'a number older than the answers that are kept is refused',
      before: { ...HOLDS, 'replies:@w': { 6: '|', 7: '|', 8: '|', 9: '|', last: '9' } },
      call: (broker) => step(broker, { seq: 5, free: 5, succeeded: ['@a', RESULT] }),
      reply: 'STALE',
    },
    {
      name: 'the last four answers are kept',
      before: { ...HOLDS, 'replies:@w': { 6: '|', 7: '|', 8: '|', 9: '|', last: '9' } },
      call: (broker) => step(broker, { seq: 10, known: 2 }),
      reply: stepReply(),
      after: { ...HOLDS, 'replies:@w': { 7: '|', 8: '|', 9: '|', 10: '|', last: '10' } },
    },
    {
      name: 'an overtaken number is executed, and both are remembered',
      before: { ...HOLDS, 'wait:main:5': ['@c'], 'replies:@w': { 8: '@b|', last: '8' } },
      call: (broker) => step(broker, { seq: 7, known: 1, succeeded: ['@a', RESULT, '@x', RESULT] }),
      reply: stepReply({ lost: ['@x'] }),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': RESULT, '@b': B },
        'lease:@w': ['@b'],
        'wait:main:5': ['@c'],
        done: ['@a'],
        marks: ['T:1:91'],
        doneBytes: '91',
        events: [{ succeeded: '@a' }],
        'replies:@w': { 7: '|@x', 8: '@b|', last: '8' },
      },
    },
    {
      name: 'the oldest number of the window may be the last to come; one older is refused',
      before: { ...HOLDS, 'replies:@w': { 7: '|', 8: '|', 9: '|', last: '9' } },
      call: async (broker) => [
        (await step(broker, { seq: 6, known: 2 })).lost,
        await answer(step(broker, { seq: 5, known: 2 })),
      ],
      reply: [[], 'STALE'],
      after: { ...HOLDS, 'replies:@w': { 6: '|', 7: '|', 8: '|', 9: '|', last: '9' } },
    },
    {
      name: 'two that overtook each other get their first answers when they are sent again',
      before: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A, '@b': B, '@c': record('c') },
        'lease:@w': ['@a'],
        'wait:main:5': ['@c'],
        'wait:main:2': ['@b'],
      },
      call: async (broker) => {
        const first = { seq: 1, free: 2, known: 0, succeeded: ['@a', RESULT, '@x', RESULT] };
        const second = { seq: 2, free: 1, known: 2 };
        const firstOf = async (call: typeof second) => {
          const { claimed, lost } = await step(broker, call);
          return [claimed.map(({ id }) => id), lost];
        };
        return [
          await firstOf(second),
          await firstOf(first),
          await firstOf(first),
          await firstOf(second),
        ];
      },
      reply: [
        [['@c'], []],
        [['@b'], ['@x']],
        [['@b'], ['@x']],
        [['@c'], []],
      ],
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': RESULT, '@b': B, '@c': record('c') },
        'lease:@w': ['@b', '@c'],
        done: ['@a'],
        marks: ['T:1:91'],
        doneBytes: '91',
        events: [{ succeeded: '@a' }],
        'replies:@w': { 1: '@b|@x', 2: '@c|', last: '2' },
      },
    },
    {
      name: 'a worker that is not registered is refused',
      before: { ...HOLDS, workers: { '@v': 'T+60s' } },
      call: (broker) => step(broker, { free: 5, succeeded: ['@a', RESULT] }),
      reply: 'WORKER_UNKNOWN',
    },
  ]);
});
