/** Four points and the filters that tell them apart; 'uuid' stands for the id of the fourth. */
export function examplePoints(uuid: string) {
  return [
    { id: 1, vector: [1, 0, 0], payload: { tags: ['a', 'b'], n: 1 } },
    { id: 2, vector: [0.9, 0.1, 0], payload: { tags: ['b'], n: 2 } },
    { id: 3, vector: [0, 2, 0], payload: { tags: [], n: 3, gone: null } },
    { id: uuid, vector: [0, 0, 1], payload: { tags: ['c'], n: 4 } },
  ];
}

export const FILTERS = [
  ['a value', { must: [{ key: 'n', match: { value: 2 } }] }, [2]],
  ['an item of a list', { must: [{ key: 'tags', match: { value: 'b' } }] }, [1, 2]],
  ['any of some values', { must: [{ key: 'tags', match: { any: ['a', 'c'] } }] }, [1, 'uuid']],
  ['a range', { must: [{ key: 'n', range: { gt: 1, lte: 3 } }] }, [2, 3]],
  ['ids', { must: [{ has_id: [3, 'uuid'] }] }, [3, 'uuid']],
  ['none of the conditions', { must_not: [{ key: 'n', range: { lt: 3 } }] }, [3, 'uuid']],
  [
    'all conditions at once',
    {
      must: [
        { key: 'n', range: { gte: 2 } },
        { key: 'tags', match: { value: 'b' } },
      ],
    },
    [2],
  ],
  ['nothing in particular', {}, [1, 2, 3, 'uuid']],
] as const;
