/**
 * All practices of the seed, with their internal ids.
 */
import { azhePractices } from './azhe.ts';
import { emilyPractices } from './emily.ts';
import { japanesePractices } from './japanese.ts';
import { niananPractices } from './nianan.ts';
import { peijunPractices } from './peijun.ts';
import type { SeedPractice } from './practice.ts';
import { FIRST_ID } from './users.ts';
import { xiaohePractices } from './xiaohe.ts';

export const SEED_PRACTICES: readonly (SeedPractice & { id: number })[] = [
  ...xiaohePractices,
  ...azhePractices,
  ...peijunPractices,
  ...niananPractices,
  ...emilyPractices,
  ...japanesePractices,
].map((practice, index) => ({ ...practice, id: FIRST_ID + index }));
