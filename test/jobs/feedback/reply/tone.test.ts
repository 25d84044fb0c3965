import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkTone,
  dropViolatingSentences,
  type ToneRule,
} from '../../../../jobs/feedback/reply/tone.ts';

const ZH = {
  breakthrough: '你在三週裡慢慢放鬆了。十分溫柔的轉變。',
  rhythm: '每次大約 20 分鐘，停了 4 天之後你又回來了。',
  insight: '第 3 天那句話值得再讀一次：那是你給自己的答案。',
};
const EN = {
  breakthrough: 'You grew easier with it over three weeks. It shows in your notes.',
  rhythm: 'About 20 minutes at a time, and after 4 days away you came back.',
  insight: 'Read day 3 again; “慢慢來” says it well. Where would you use it?',
};

test('a text in the agreed tone breaks no rule', () => {
  assert.deepEqual(checkTone(ZH, 'zh-TW'), []);
  assert.deepEqual(checkTone(EN, 'en'), []);
});

const CASES: ['zh-TW' | 'en', string, ToneRule][] = [
  ['zh-TW', '你一路堅持下來。', 'pressure'],
  ['zh-TW', '不要放棄。', 'pressure'],
  ['zh-TW', '這是每日必須的功課。', 'pressure'],
  ['zh-TW', '可惜後來少了。', 'regret'],
  ['zh-TW', '雖然曾經中斷。', 'regret'],
  ['zh-TW', '這次可以得到 95 分。', 'score'],
  ['zh-TW', '完成了 90%。', 'score'],
  ['zh-TW', '你升級了，來到第三級。', 'level'],
  ['zh-TW', '你連續 12 天都有來。', 'streak'],
  ['zh-TW', '連續十二天。', 'streak'],
  ['zh-TW', '**你**很好。', 'markdown'],
  ['zh-TW', '- 第一點', 'markdown'],
  ['zh-TW', '核心突破：你變了。', 'heading'],
  ['zh-TW', '【你的節奏】你常來。', 'heading'],
  ['zh-TW', '請看 https://example.com 的說明。', 'link'],
  ['zh-TW', '你这段时间很好。', 'simplified'],
  ['zh-TW', 'You did very well in these three weeks.', 'language'],
  ['zh-TW', '你一路坚持下來。', 'pressure'],
  ['zh-TW', '你一路堅\u200b持下來。', 'pressure'],
  ['zh-TW', '你從不放棄。', 'pressure'],
  ['zh-TW', '雖然曾經中断。', 'regret'],
  ['zh-TW', '你連續了三十天。', 'streak'],
  ['zh-TW', '得到９５％。', 'score'],
  ['zh-TW', '請看 evil-site.tw/login。', 'link'],
  ['en', 'Ninety percent of it.', 'score'],
  ['en', 'See example.com for more.', 'link'],
  ['en', 'You persisted through it.', 'pressure'],
  ['en', 'Never give up.', 'pressure'],
  ['en', 'You should write more.', 'pressure'],
  ['en', 'Every day you must write.', 'pressure'],
  ['en', 'Unfortunately the notes stop.', 'regret'],
  ['en', 'You interrupted it.', 'regret'],
  ['en', 'A score of nine.', 'score'],
  ['en', 'You reached the next level.', 'level'],
  ['en', 'You came twelve days in a row.', 'streak'],
  ['en', 'A seven-day streak.', 'streak'],
  ['en', '## You changed', 'markdown'],
  ['en', 'Your rhythm: slow.', 'heading'],
  ['en', '你在三週裡慢慢放鬆了。', 'language'],
];

for (const [locale, sentence, rule] of CASES) {
  test(`“${sentence}” is found as ${rule}, and only that sentence is dropped`, () => {
    const good = locale === 'en' ? EN : ZH;
    const alone = checkTone({ ...good, rhythm: sentence }, locale);
    assert.ok(
      alone.some((violation) => violation.section === 'rhythm' && violation.rule === rule),
      JSON.stringify(alone),
    );
    assert.equal(dropViolatingSentences({ ...good, rhythm: sentence }, locale), undefined);
    if (rule === 'language') return;
    const mixed = { ...good, rhythm: `${sentence} ${good.rhythm}` };
    assert.deepEqual(dropViolatingSentences(mixed, locale), dropFirst(mixed, good));
  });
}

/** A marker without a closing stop takes the rest of its sentence with it. */
function dropFirst(mixed: typeof ZH, good: typeof ZH) {
  const stopped = /[。.]$/.test(mixed.rhythm.slice(0, mixed.rhythm.indexOf(good.rhythm)).trim());
  return stopped ? good : undefined;
}

test('a paragraph is never left empty', () => {
  assert.equal(dropViolatingSentences({ ...ZH, insight: '堅持！不要放棄！' }, 'zh-TW'), undefined);
});

test('what is left after dropping breaks no rule', () => {
  const kept = dropViolatingSentences(
    { ...ZH, breakthrough: `「你必須堅持。」${ZH.breakthrough}連續 30 天！得分 5。` },
    'zh-TW',
  );
  assert.deepEqual(kept, ZH);
});
