/** Four points and the filters that tell them apart; 'uuid' stands for the id of the fourth. */
export function examplePoints(uuid: string) {
  return [
    { id: 1, vector: [1, 0, 0], payload: { tags: ['a', 'b'], n: 1, at: '2026-01-01T00:00:00Z' } },
    { id: 2, vector: [0.9, 0.1, 0], payload: { tags: ['b'], n: 2, deep: { list: [{ k: 'x' }] } } },
    { id: 3, vector: [0, 2, 0], payload: { tags: [], n: 3, gone: null } },
    { id: uuid, vector: [0, 0, 1], payload: { tags: ['c'], n: 4, at: '2026-06-01T00:00:00Z' } },
  ];
}

export const FILTERS = [
  ['a value', { must: [{ key: 'n', match: { value: 2 } }] }, [2]],
  ['an item of a list', { must: [{ key: 'tags', match: { value: 'b' } }] }, [1, 2]],
  ['any of some values', { must: { key: 'tags', match: { any: ['a', 'c'] } } }, [1, 'uuid']],
  [
    'a value that is none of some',
    { must: [{ key: 'tags', match: { except: ['b'] } }] },
    [1, 'uuid'],
  ],
  ['a range', { must: [{ key: 'n', range: { gt: 1, lte: 3 } }] }, [2, 3]],
  ['a range of times', { must: [{ key: 'at', range: { gte: '2026-03-01T00:00:00Z' } }] }, ['uuid']],
  ['ids', { must: [{ has_id: [3, 'uuid'] }] }, [3, 'uuid']],
  ['an empty field', { must: [{ is_empty: { key: 'tags' } }] }, [3]],
  ['a missing or null field', { must: [{ is_empty: { key: 'gone' } }] }, [1, 2, 3, 'uuid']],
  ['a null field', { must: [{ is_null: { key: 'gone' } }] }, [3]],
  ['a nested field', { must: [{ key: 'deep.list[].k', match: { value: 'x' } }] }, [2]],
  ['none of the conditions', { must_not: [{ key: 'n', range: { lt: 3 } }] }, [3, 'uuid']],
  [
    'one of the conditions',
    {
      should: [
        { key: 'n', match: { value: 1 } },
        { key: 'n', match: { value: 3 } },
      ],
    },
    [1, 3],
  ],
  [
    'all kinds of conditions at once, and a filter within a filter',
    {
      must: [{ should: [{ key: 'n', range: { gte: 2 } }, { has_id: [1] }] }],
      must_not: [{ has_id: ['uuid'] }],
      should: [{ key: 'tags', match: { value: 'b' } }],
    },
    [1, 2],
  ],
  [
    'at least so many of the conditions',
    {
      min_should: {
        conditions: [{ has_id: [1, 2] }, { key: 'n', match: { value: 2 } }, { has_id: [3] }],
        min_count: 2,
      },
    },
    [2],
  ],
  ['nothing in particular', {}, [1, 2, 3, 'uuid']],
] as const;
