/** Checks a reply against DaoDao's tone rules, whether or not the model followed its instructions. */
import type { Locale } from '../../common/locale.ts';
import { cutInvisible, findForbidden, markEmoji } from './characters.ts';
import { findForeign, findSimplified, prevails } from './language.ts';
import { findLink } from './links.ts';
import { findHeading, findMarkdown, findTag } from './markup.ts';
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
  | 'character'
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
  ],
  en: [
    ...EVERYWHERE,
    [
      'pressure',
      /\bpersist|\bpersever|\b(?:don['’]t|do not|never) (?:ever )?(?:give up|quit)|\bkeep (?:it up|pushing|going)\b|\byou (?:must|should|have to|need to)\b|\bmust\b[^.!?]{0,200}\b(?:every day|daily)/iu,
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

/** Each takes all it can and gives nothing back, which keeps the split linear. */
const TOKEN = /[^。！？!?.\n]+|[。！？!?]+[」』”’"）)]*\s*|\.+[”’")]*\s*|\n+/gu;

/** @returns at most one violation per section and rule. */
export function checkTone(sections: Sections, locale: Locale): Violation[] {
  return SECTION_NAMES.flatMap((section) => {
    const text = sections[section];
    const found = offences(text, locale);
    if (!found.some(({ rule }) => rule === 'language') && !isInLanguage(text, locale)) {
      found.push({ rule: 'language', excerpt: text.slice(0, 20) });
    }
    return found.map((offence) => ({ section, ...offence }));
  });
}

/** Drops the offending sentences. @returns undefined when a paragraph would be empty, or what is left still breaks a rule. */
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

function isInLanguage(text: string, locale: Locale): boolean {
  return (
    prevails(locale, text) &&
    sentences(text).every((sentence) => findForeign(sentence, locale) === undefined)
  );
}

/** Patterns match what readers see: compatibility forms are normalised and invisible characters ignored. */
function offences(text: string, locale: Locale): Omit<Violation, 'section'>[] {
  const visible = cutInvisible(text);
  const written = markEmoji(visible);
  const read = visible.normalize('NFKC');
  const found: [ToneRule, string | undefined][] = [
    ['link', findTag(written) ?? findLink(written, read)],
    ['markdown', findMarkdown(written)],
    ['heading', findHeading(written)],
    ['character', findForbidden(written)],
    ['simplified', locale === 'zh-TW' ? findSimplified(written) : undefined],
    ['language', findForeign(written, locale)],
    ...RULES[locale].map(([rule, pattern]): [ToneRule, string | undefined] => [
      rule,
      pattern.exec(read)?.[0],
    ]),
  ];
  const excerpts = new Map<ToneRule, string>();
  for (const [rule, excerpt] of found) {
    if (excerpt !== undefined && !excerpts.has(rule)) excerpts.set(rule, excerpt.trim());
  }
  return [...excerpts].map(([rule, excerpt]) => ({ rule, excerpt }));
}

/** Splits text into sentences with their closing marks and whitespace; joining them restores the text. */
function sentences(text: string): string[] {
  const found: string[] = [];
  let current = '';
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    current += token;
    const next = text.slice(index + token.length, index + token.length + 1);
    if (endsSentence(token, next)) {
      found.push(current);
      current = '';
    }
  }
  return current === '' ? found : [...found, current];
}

/** A mark within a number, a file name or an address ends nothing. */
function endsSentence(token: string, next: string): boolean {
  if (/^[。！？\n]/u.test(token)) return true;
  if (!/^[.!?]/u.test(token)) return false;
  return next === '' || /\s$/u.test(token) || (!token.startsWith('.') && !/[a-z\d]/iu.test(next));
}
