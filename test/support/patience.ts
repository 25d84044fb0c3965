/**
 * How long tests wait. No test fails because a machine is slow: what must come is waited for until it can only be a hang, and
 * what must be short is stretched by the speed of the machine, which the runner measures at the start of a run.
 */

/** How many times slower this machine was at the start of the run than the one deadlines are made for; 1 at least. */
export const SLOWNESS = Math.max(1, Number(process.env['TEST_SLOWNESS'] ?? 1));

/** Longest wait for anything that must come, in milliseconds: what takes longer never comes. */
export const HANG_MS = Math.ceil(120_000 * SLOWNESS);

/** @param ms a time on the machine that deadlines are made for, in milliseconds. @returns the same for this one. */
export const stretched = (ms: number): number => Math.ceil(ms * SLOWNESS);
