/** `defineTask` and `ctx` for DaoDao's tasks. */
import type { DurableContext } from './framework/context.ts';
import { definerOf } from './framework/define.ts';
import type { Resources } from './resources.ts';

export type Context = DurableContext & Resources;

export const defineTask = definerOf<Resources>();
