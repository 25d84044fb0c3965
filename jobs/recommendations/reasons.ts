/** Renders the reason for a recommendation as a sentence. */
import type { Locale } from '../common/locale.ts';
import type { Reason } from './score.ts';

const SENTENCES: Record<Locale, Record<Reason, (shared: string) => string>> = {
  'zh-TW': {
    ongoing_practice: (shared) => `和你正在進行的「${shared}」實踐相近`,
    tag_match: (shared) => `你也關注「${shared}」`,
    professional_field: (shared) => `來自同樣投入「${shared}」的島民`,
    popular_content: () => '最近許多島民在看',
  },
  en: {
    ongoing_practice: (shared) => `Close to what you are practising: ${shared}`,
    tag_match: (shared) => `You follow ${shared} too`,
    professional_field: (shared) => `From someone who also works in ${shared}`,
    popular_content: () => 'Many people have been looking at it lately',
  },
};

export function sentenceFor(reason: Reason, shared: string | undefined, locale: Locale): string {
  return SENTENCES[locale][reason](shared ?? '');
}
