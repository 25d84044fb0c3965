/**
 * How DaoDao's tasks are defined, and what they are given.
 */
import type { DurableContext } from './framework/context.ts';
import { definerOf } from './framework/define.ts';
import type { Resources } from './resources.ts';

/** `ctx` of a durable task of DaoDao. */
export type Context = DurableContext & Resources;

/** As `defineTask` of the framework, with DaoDao's resources in `ctx`. */
export const defineTask = definerOf<Resources>();
