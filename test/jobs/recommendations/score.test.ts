/**
 * What moves a practice up or down for a person, and which reason is told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate, Learner } from '../../../db/daodao/recommendation-sources.ts';
import {
  byScore,
  NO_SIGNALS,
  score,
  type Scored,
  type Signals,
} from '../../../jobs/recommendations/score.ts';

interface Given extends Partial<Signals> {
  person?: Partial<Learner>;
  candidate?: Partial<Candidate>;
}

function scored({ person, candidate, ...signals }: Given = {}): Scored {
  return score(
    {
      id: 1,
      externalId: 'person',
      locale: 'en',
      tags: [],
      professionalField: [],
      ongoingTags: [],
      ...person,
    },
    { id: 'practice', ownerId: 'owner', tags: [], ownerField: [], ...candidate },
    { ...NO_SIGNALS, ...signals },
  );
}

const TAG = { person: { tags: ['tea'] }, candidate: { tags: ['tea'] } };
const ONGOING = { person: { ongoingTags: ['tea'] }, candidate: { tags: ['tea'] } };
const FIELD = {
  person: { professionalField: ['design'] },
  candidate: { ownerField: ['design'] },
};

for (const [what, given] of [
  ['likeness to the person', { similarity: 0.1 }],
  ['likeness to what was liked', { liked: 0.1 }],
  ['what the person had to do with it', { engagement: 0.1 }],
  ['popularity', { popularity: 0.1 }],
  ['a tag of the person', TAG],
  ['a tag of what the person practises', ONGOING],
  ['the professional field of its owner', FIELD],
] as const) {
  test(`${what} alone moves a practice up`, () => {
    assert.ok(scored(given).score > 0);
  });
}

for (const [what, given] of [
  ['likeness to what was disliked', { disliked: 0.1 }],
  ['being the opposite of the person', { similarity: -0.1 }],
] as const) {
  test(`${what} alone moves a practice down`, () => {
    assert.ok(scored(given).score < 0);
  });
}

test('of nothing that is known comes nothing, and more of a signal is more', () => {
  assert.equal(scored().score, 0);
  for (const signal of ['similarity', 'liked', 'engagement', 'popularity'] as const) {
    assert.ok(scored({ [signal]: 1 }).score > scored({ [signal]: 0.9 }).score, signal);
  }
  assert.ok(scored({ disliked: 1 }).score < scored({ disliked: 0.9 }).score);
});

test('signals add up', () => {
  const signals = { similarity: 0.5, liked: 0.4, disliked: 0.3, engagement: 0.2, popularity: 0.1 };
  const alone = Object.entries(signals).map(([name, value]) => scored({ [name]: value }).score);
  const sum = alone.reduce((total, part) => total + part);
  assert.ok(Math.abs(scored(signals).score - sum) < 1e-9);
});

test('likeness to the person counts most, and what was disliked more than what was liked', () => {
  const { score: similar } = scored({ similarity: 1 });
  for (const signal of ['liked', 'engagement', 'popularity'] as const) {
    assert.ok(similar > scored({ [signal]: 1 }).score, signal);
  }
  assert.ok(scored({ liked: 1, disliked: 1 }).score < 0);
});

test('of tags, those of what is going on count most, then the own ones, then the professional field', () => {
  const scores = [ONGOING, TAG, FIELD].map((given) => scored(given).score);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(scores).size, 3);
});

test('each further tag in common adds half of what the one before added', () => {
  const words = ['a', 'b', 'c', 'd'];
  const scores = words.map((_, n) => {
    const tags = words.slice(0, n);
    return scored({ person: { tags: words }, candidate: { tags } }).score;
  });
  const [first, second, third] = scores.slice(1).map((more, n) => more - scores[n]!);
  assert.ok(first! > 0);
  assert.ok(Math.abs(second! / first! - 0.5) < 1e-9);
  assert.ok(Math.abs(third! / second! - 0.5) < 1e-9);
});

test('words are the same whatever their case, width and margins, and are told as the person wrote them', () => {
  const { reason, shared } = scored({
    person: { tags: ['Music', 'ＡＩ '] },
    candidate: { tags: ['tea', ' ai'] },
  });
  assert.deepEqual([reason, shared], ['tag_match', 'ＡＩ ']);
});

for (const [reason, given, shared] of [
  ['ongoing_practice', ONGOING, 'tea'],
  ['tag_match', TAG, 'tea'],
  ['professional_field', FIELD, 'design'],
  ['popular_content', { popularity: 0.01 }, undefined],
  ['popular_content', {}, undefined],
  ['popular_content', { similarity: 1, liked: 1, engagement: 1 }, undefined],
] as const) {
  test(`the reason is ${reason} for ${JSON.stringify(given)}`, () => {
    const found = scored(given);
    assert.deepEqual([found.reason, found.shared], [reason, shared]);
  });
}

test('the strongest reason is told, and the first thing the person has in common', () => {
  const reasonOf = (given: Given) => {
    const { reason, shared } = scored(given);
    return [reason, shared];
  };
  const all = {
    person: {
      ongoingTags: ['tea'],
      tags: ['music', 'ink', 'tea'],
      professionalField: ['design'],
    },
    candidate: { tags: ['tea', 'ink', 'music'], ownerField: ['design'] },
  };
  assert.deepEqual(reasonOf(all), ['tag_match', 'music']);
  const oneTag = { ...all, candidate: { ...all.candidate, tags: ['tea'] } };
  assert.deepEqual(reasonOf(oneTag), ['ongoing_practice', 'tea']);
  assert.deepEqual(reasonOf({ ...FIELD, popularity: 1 }), ['popular_content', undefined]);
  assert.deepEqual(reasonOf({ ...FIELD, popularity: 0.1 }), ['professional_field', 'design']);
  assert.deepEqual(reasonOf({ ...TAG, popularity: 1 }), ['popular_content', undefined]);
  assert.deepEqual(reasonOf({ ...TAG, popularity: 0.8 }), ['tag_match', 'tea']);
});

test('of reasons that are equally strong the more personal one is told', () => {
  const { reason } = scored({ ...ONGOING, popularity: 1 });
  assert.equal(reason, 'ongoing_practice');
});

test('the best come first, equal ones by id, in whatever order they were found', () => {
  const place = (id: string, worth: number): Scored => ({ ...scored(), id, score: worth });
  const found = [place('d', 2), place('b', 1), place('a', 1), place('c', 1), place('e', -1)];
  for (let turn = 0; turn < found.length; turn++) {
    found.push(found.shift()!);
    for (const order of [found, found.toReversed()]) {
      const ids = order.toSorted(byScore).map(({ id }) => id);
      assert.deepEqual(ids, ['d', 'a', 'b', 'c', 'e']);
    }
  }
});
