/** What one member, and all of them, may cost; part of the table in index.ts. */
export const LIMIT_SETTINGS = {
  FEEDBACK_PER_DAY: {
    kind: 'integer',
    default: '20',
    min: 1,
    max: 1000,
    describe:
      'New feedback texts that one person may get in any 24 hours; revoked requests and the nightly sweep count too.',
  },
  EVENTS_PER_PERSON: {
    kind: 'integer',
    default: '10000',
    min: 500,
    max: 1_000_000,
    describe:
      'Behaviour events of one person that Postgres holds, sent ones for 49 hours; beyond them the API refuses more of that person.',
  },
  EVENTS_MAX_UNSENT: {
    kind: 'integer',
    default: '1000000',
    min: 1,
    max: 100_000_000,
    describe:
      'Number of unsent behaviour events at which the API stops accepting events of anybody.',
  },
} as const;
