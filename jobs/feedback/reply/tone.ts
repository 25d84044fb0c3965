/** Checks a reply against DaoDao's tone rules, whether or not the model followed its instructions. */
import type { Locale } from '../../locale.ts';
import { SECTION_NAMES, type SectionName, type Sections } from './parse.ts';

export type ToneRule =
  | 'pressure'
  | 'regret'
  | 'score'
  | 'level'
  | 'streak'
  | 'markdown'
  | 'heading'
  | 'link'
  | 'simplified'
  | 'language';

export interface Violation {
  section: SectionName;
  rule: ToneRule;
  excerpt: string;
}

type Rules = readonly (readonly [ToneRule, RegExp])[];

const NUMBER_ZH = '[\\d一二兩三四五六七八九十百幾數]';

const EVERYWHERE: Rules = [
  ['markdown', /\*\*|__|`|^\s*(?:#{1,6}\s|[-*•>]\s|\d+[.)]\s)|\[[^\]]*\]\(/u],
  ['heading', /^\s*【[^】]*】/u],
  [
    'link',
    /https?:|www\.|<\/?[a-z][^>]*>|[\w-]\.(?:com|net|org|io|app|dev|info|xyz|me|tw|cn|hk|jp)(?![\w.-])/iu,
  ],
  ['score', /\d\s*[%％]|\d\s*\/\s*100(?!\d)|★|⭐/u],
  ['level', /\blv\.?\s*\d|\blevel(?:s|led)?[ -](?:up|\d)/iu],
  ['streak', /\bstreaks?\b/iu],
];

const RULES: Record<Locale, Rules> = {
  'zh-TW': [
    ...EVERYWHERE,
    [
      'pressure',
      /[堅坚]持|(?:不|不要|別|别|不能|不可以)放[棄弃]|每[日天](?:都)?必[須须]|你(?:必[須须]|一定要)/u,
    ],
    ['regret', /可惜|中[斷断]|[遺遗]憾/u],
    ['heading', /^\s*(?:核心突破|你的節奏|值得深挖的洞見)(?:[:：\s]|$)/u],
    ['score', /\d\s*分(?![鐘之秒別享成為鍾])|滿分|得分|評分|打分|分數|百分之/u],
    ['level', /等級|級別|升級|第\s*[\d一二三四五六七八九十]+\s*級/u],
    [
      'streak',
      new RegExp(
        `[連连][續续]了?\\s*${NUMBER_ZH}+\\s*(?:天|日|週|周|個|次)|不[間间][斷断]|天天不[斷断漏]|[連连][續续]打卡`,
        'u',
      ),
    ],
    ['simplified', /[这们说时习节变让从应为对写觉还过发现实开]\p{Script=Han}?/u],
  ],
  en: [
    ...EVERYWHERE,
    [
      'pressure',
      /\bpersist|\bpersever|\b(?:don['’]t|do not|never) (?:ever )?(?:give up|quit)|\bkeep (?:it up|pushing|going)\b|\byou (?:must|should|have to|need to)\b|\bmust\b[^.!?]*\b(?:every day|daily)/iu,
    ],
    [
      'regret',
      /\bunfortunate|\bpity\b|\ba shame\b|\btoo bad\b|\binterrupt|\bbroke off\b|\bsadly\b/iu,
    ],
    ['heading', /^\s*(?:core |key )?(?:breakthrough|(?:your )?rhythm|insight)s?\s*(?:[:：]|$)/iu],
    [
      'score',
      /\bscor(?:e|es|ed|ing)\b|\b\d+ points?\b|\bper ?cent\b|\brating\b|\b\d+ out of \d+/iu,
    ],
    ['level', /\b(?:next|new|higher|your) level\b/iu],
    [
      'streak',
      /\bconsecutive\b|\b(?:days|weeks|times) (?:in a row|running|straight)\b|\bunbroken\b/iu,
    ],
  ],
};

/** @returns at most one violation per section and rule. */
export function checkTone(sections: Sections, locale: Locale): Violation[] {
  return SECTION_NAMES.flatMap((section) => {
    const text = sections[section];
    const found = offences(text, locale).map((offence) => ({ section, ...offence }));
    if (!isIn(locale, text)) found.push({ section, rule: 'language', excerpt: text.slice(0, 20) });
    return found;
  });
}

/** Drops the offending sentences. @returns undefined when a paragraph would be empty or is in the wrong language. */
export function dropViolatingSentences(sections: Sections, locale: Locale): Sections | undefined {
  const kept = { ...sections };
  for (const name of SECTION_NAMES) {
    kept[name] = sentences(sections[name])
      .filter((sentence) => offences(sentence, locale).length === 0)
      .join('')
      .trim();
    if (kept[name] === '') return undefined;
  }
  return checkTone(kept, locale).length === 0 ? kept : undefined;
}

/** Matches what readers see: normalises compatibility forms and ignores invisible characters. */
function offences(text: string, locale: Locale): Omit<Violation, 'section'>[] {
  const seen = text.normalize('NFKC').replaceAll(/\p{Cf}/gu, '');
  return RULES[locale].flatMap(([rule, pattern]) => {
    const excerpt = pattern.exec(seen)?.[0].trim();
    return excerpt === undefined ? [] : [{ rule, excerpt }];
  });
}

/** The prevailing script decides; quotes in the other language are allowed. */
function isIn(locale: Locale, text: string): boolean {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const words = text.match(/[\p{Script=Latin}\d]+/gu)?.length ?? 0;
  return locale === 'en' ? words > han : han > words;
}

/** Splits text into sentences with their closing marks and whitespace; joining them restores the text. */
function sentences(text: string): string[] {
  return text.match(/[\s\S]*?(?:[。！？!?]+[」』”’"）)]*\s*|\.+[”’")]*(?:\s+|$)|\n+|$)/gu) ?? [];
}
