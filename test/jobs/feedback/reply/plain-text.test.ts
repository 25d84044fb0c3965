import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReply, type Sections } from '../../../../jobs/feedback/reply/parse.ts';
import { checkTone, dropViolatingSentences } from '../../../../jobs/feedback/reply/tone.ts';
import type { Locale } from '../../../../jobs/common/locale.ts';
import { ATTACKS } from './attacks.ts';
import { LINKS } from './links.ts';
import { ORDINARY_EN } from './ordinary-en.ts';
import { ORDINARY_ZH } from './ordinary-zh.ts';

const GOOD: Record<Locale, Sections> = {
  'zh-TW': {
    breakthrough: '你在三週裡慢慢放鬆了。',
    rhythm: '停了幾天之後你又回來了。',
    insight: '那句話值得再讀一次：那是你給自己的答案。',
  },
  en: {
    breakthrough: 'You grew easier with it over three weeks.',
    rhythm: 'After a few days away you came back.',
    insight: 'Read it again, since it was your own answer to this.',
  },
};

/** Feedback with `text` as its second paragraph, as a model would send it. */
function read(locale: Locale, text: string): Sections {
  const parsed = parseReply(JSON.stringify({ ...GOOD[locale], rhythm: text }));
  assert.ok('sections' in parsed, JSON.stringify(parsed));
  return parsed.sections;
}

function rulesBroken(locale: Locale, text: string): string[] {
  return checkTone(read(locale, text), locale).map(({ rule }) => rule);
}

for (const [locale, text] of LINKS) {
  test(`no address is saved: ${JSON.stringify(text)}`, () => {
    const broken = rulesBroken(locale, text);
    assert.ok(
      broken.some((rule) => rule === 'link' || rule === 'markdown' || rule === 'character'),
      `found: ${broken.join(', ')}`,
    );
    const kept = dropViolatingSentences(read(locale, `${GOOD[locale].rhythm} ${text}`), locale);
    assert.ok(kept === undefined || kept.rhythm === GOOD[locale].rhythm, kept?.rhythm);
  });
}

for (const [locale, text, outcome] of ATTACKS) {
  const what = 'saved' in outcome ? 'is cut and saved' : `is found as ${outcome.rule}`;
  test(`${JSON.stringify(text)} ${what}`, () => {
    const sections = read(locale, text);
    const broken = rulesBroken(locale, text);
    if ('saved' in outcome) {
      assert.deepEqual([sections.rhythm, broken], [outcome.saved, []]);
    } else {
      assert.ok(broken.includes(outcome.rule), `found: ${broken.join(', ')}`);
    }
  });
}

test('two hundred ordinary sentences break no rule and are saved as they are', () => {
  const wrong = (locale: Locale, ordinary: readonly string[]) =>
    ordinary.filter(
      (text) => read(locale, text).rhythm !== text || rulesBroken(locale, text).length > 0,
    );
  assert.deepEqual([...wrong('zh-TW', ORDINARY_ZH), ...wrong('en', ORDINARY_EN)], []);
  assert.equal(ORDINARY_ZH.length + ORDINARY_EN.length, 200);
});
