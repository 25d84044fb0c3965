import { Type, type Static } from 'typebox';

/** The languages feedback is written in. */
export const Locale = Type.Union([Type.Literal('zh-TW'), Type.Literal('en')]);
export type Locale = Static<typeof Locale>;
