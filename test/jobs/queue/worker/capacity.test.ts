import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Capacity, type Sharer } from '../../../../jobs/queue/worker/capacity.ts';

class Lane implements Sharer {
  size = 0;
  rounds = 0;
  round(): void {
    this.rounds++;
  }
}

function lanesOf(limit: number, count: number) {
  const capacity = new Capacity(limit);
  const lanes = Array.from({ length: count }, () => new Lane());
  for (const lane of lanes) capacity.join(lane);
  return { capacity, lanes, rounds: () => lanes.map(({ rounds }) => rounds) };
}

test('a share is an equal part of the whole, rounded up, and one at least', () => {
  for (const [limit, lanes, share] of [
    [10, 1, 10],
    [10, 4, 3],
    [4, 4, 1],
    [1, 4, 1],
    [0, 4, 1],
  ] as const) {
    assert.equal(lanesOf(limit, lanes).capacity.share, share, `${limit} for ${lanes}`);
  }
});

test('a share follows the limit', () => {
  const { capacity } = lanesOf(4, 2);
  capacity.limit = 404;
  assert.equal(capacity.share, 202);
});

test('what is held is the sum over all', () => {
  const { capacity, lanes } = lanesOf(10, 3);
  for (const [index, lane] of lanes.entries()) lane.size = index;
  assert.equal(capacity.size, 3);
});

test('as much is granted as there is room for, and never less than nothing', () => {
  const { capacity, lanes } = lanesOf(4, 2);
  const [one, two] = lanes as [Lane, Lane];
  assert.equal(capacity.grant(one, 2), 2);
  one.size = 3;
  assert.equal(capacity.grant(two, 2), 1);
  one.size = 4;
  assert.equal(capacity.grant(two, 2), 0);
  one.size = 400;
  assert.equal(capacity.grant(two, 2), 0);
});

test('who got fewer than wanted is told once there is room, and once only', () => {
  const { capacity, lanes, rounds } = lanesOf(2, 3);
  const [one, two, three] = lanes as [Lane, Lane, Lane];
  one.size = 2;
  capacity.grant(two, 1);
  capacity.grant(three, 1);
  capacity.grant(one, 0);
  capacity.freed();
  assert.deepEqual(rounds(), [0, 0, 0], 'there is no room yet');
  one.size = 1;
  capacity.freed();
  assert.deepEqual(rounds(), [0, 1, 1]);
  capacity.freed();
  assert.deepEqual(rounds(), [0, 1, 1]);
});

test('who got all it wanted after all, or wants nothing any more, is not told', () => {
  const { capacity, lanes, rounds } = lanesOf(2, 3);
  const [one, two, three] = lanes as [Lane, Lane, Lane];
  one.size = 2;
  capacity.grant(two, 1);
  capacity.grant(three, 1);
  one.size = 1;
  assert.equal(capacity.grant(two, 1), 1);
  capacity.grant(three, 0);
  capacity.freed();
  assert.deepEqual(rounds(), [0, 0, 0]);
});

test('one that asks again while it is told, and is short again, is told the next time', () => {
  const capacity = new Capacity(1);
  const full = new Lane();
  const short = new Lane();
  short.round = () => {
    short.rounds++;
    full.size = 1;
    capacity.grant(short, 1);
  };
  capacity.join(full);
  capacity.join(short);
  full.size = 1;
  capacity.grant(short, 1);
  for (let turn = 1; turn <= 3; turn++) {
    full.size = 0;
    capacity.freed();
    assert.equal(short.rounds, turn);
  }
});
