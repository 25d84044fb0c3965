import { Type, type Static } from 'typebox';

/** Languages of feedback. */
export const Locale = Type.Union([Type.Literal('zh-TW'), Type.Literal('en')]);
export type Locale = Static<typeof Locale>;
