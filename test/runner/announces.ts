/** Begins the name of a suite that holds the tests of a file: see `many.ts`. */
export const ANNOUNCES = 'tests of ';
