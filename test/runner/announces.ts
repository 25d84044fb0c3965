/** Begins the name of a test that only announces a file: see `many.ts`. */
export const ANNOUNCES = 'tests of ';
