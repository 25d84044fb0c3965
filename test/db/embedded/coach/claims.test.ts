import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completionOf } from '../../../../db/embedded/coach/completion.ts';
import type { Locale } from '../../../../db/embedded/coach/quotes.ts';
import type { CheckIn, Mood } from '../../../../db/daodao/practices.ts';
import { noteLength } from '../../../../jobs/feedback/notes.ts';
import { buildPrompt } from '../../../../jobs/feedback/prompt.ts';
import { joinSections, parseReply } from '../../../../jobs/feedback/reply/parse.ts';
import { checkTone } from '../../../../jobs/feedback/reply/tone.ts';
import { createMaterial, type MaterialOptions } from '../../../support/domain/practice.ts';

/** In order: give_up, frustrated, bored, neutral, good, happy. */
const MOODS = ['give_up', 'frustrated', 'bored', 'neutral', 'good', 'happy'] as const;
const LABELS: Record<Locale, string[]> = {
  en: ['ready to put it down', 'frustrated', 'a little bored', 'so-so', 'good', 'happy'],
  'zh-TW': ['「想先放下」', '「挫折」', '「提不起勁」', '「普通」', '「還不錯」', '「開心」'],
};

/** A text, its sections, and itself without what stands in quotation marks (moods stay). */
function write(options: MaterialOptions, locale: Locale) {
  const { messages } = buildPrompt(createMaterial({ ...options, locale }), locale);
  const parsed = parseReply(completionOf(messages).choices[0]!.message.content);
  assert.ok('sections' in parsed, JSON.stringify(parsed));
  const text = joinSections(parsed.sections);
  const labels = LABELS[locale];
  const quotes = (text.match(/“[^”]*”|「[^」]*」/g) ?? []).filter(
    (quote) => !labels.includes(quote),
  );
  const bare = quotes.reduce((rest, quote) => rest.replace(quote, '""'), text);
  return {
    locale,
    text,
    bare,
    sections: parsed.sections,
    quotes: quotes.map((quote) => quote.slice(1, -1)),
  };
}

const sentence = fc.constantFrom(
  '今天只做了一點點，身體卻記得昨天的感覺。',
  '下雨！',
  '發現自己不再急著做完，這是第一次有這種感覺。',
  '一直不放棄地做，連續三天都做到了。',
  '原來慢下來，聽得見樓下有人練琴',
  '很長很長的一句話，中間一直沒有停下來，從早上寫到晚上，寫到筆都沒有水了，寫到貓跳上桌子，寫到鄰居把燈關掉，還是沒有寫到今天真正想說的那件事。',
  'I noticed that my shoulders were less tense than before.',
  'It rained, so I stayed in and the cat sat on the mat.',
  'Nothing special today.',
  'You must never give up!',
);
const note = fc.option(
  fc.array(sentence, { minLength: 1, maxLength: 4 }).map((all) => all.join(' ')),
);
const practice = fc.record({
  rows: fc.array(
    fc.tuple(
      fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 41 })),
      fc.option(fc.constantFrom(...MOODS)),
      note,
    ),
    {
      minLength: 1,
      maxLength: 14,
    },
  ),
  durationDays: fc.integer({ min: 1, max: 42 }),
  frequencyMinDays: fc.integer({ min: 1, max: 7 }),
  minutes: fc.option(fc.constantFrom(5, 20, 60)),
  words: fc.record({
    title: fc.constantFrom('上班前伸展', 'Stretch before work'),
    action: fc.option(fc.constantFrom('起床先站著', 'Stand up first')),
    reflection: fc.option(fc.constantFrom('慢一點，也到得了。', 'Slow gets there too.')),
    slogan: fc.option(fc.constantFrom('慢慢來', 'Take it slow')),
    tags: fc.subarray(['健康', 'health']),
  }),
});
type Practice = typeof practice extends fc.Arbitrary<infer T> ? T : never;

const dateOf = (day: number): string =>
  new Date(Date.parse('2026-03-02') + day * 86_400_000).toISOString().slice(0, 10);

function optionsOf({ rows, minutes, words, ...plan }: Practice): MaterialOptions {
  const checkIns: CheckIn[] = rows
    .toSorted(([a], [b]) => a - b)
    .map(([day, mood, text], id) => ({ id, date: dateOf(day), mood, note: text }));
  const { title, action, reflection, slogan, tags } = words;
  return {
    practice: {
      title,
      tags,
      reflection,
      ...plan,
      practiceAction: action,
      sessionDurationMinutes: minutes,
    },
    owner: {
      nickname: null,
      personalSlogan: slogan,
      professionalField: ['教育', 'Product management'],
    },
    checkIns,
  };
}

/** Holds for random practices in both languages. */
function holds(
  check: (given: Practice, zh: ReturnType<typeof write>, en: ReturnType<typeof write>) => void,
): void {
  fc.assert(
    fc.property(practice, (given) => {
      const options = optionsOf(given);
      check(given, write(options, 'zh-TW'), write(options, 'en'));
    }),
    { numRuns: 150 },
  );
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const count = (rows: Practice['rows'], mood: Mood): number =>
  rows.filter((row) => row[1] === mood).length;
const daysWith = (rows: Practice['rows'], mood: Mood): number =>
  new Set(rows.filter((row) => row[1] === mood).map(([day]) => day)).size;
const sentencesOf = (text: string): string[] => text.match(/[^。？.?]+[。？.?]*/g) ?? [];

test('a mood is called usual only when most check-ins have it and three days at least, once only when one has it', () => {
  holds(({ rows }, zh, en) => {
    const total = rows.filter(([, mood]) => mood !== null).length;
    for (const { locale, bare } of [zh, en]) {
      const usual = MOODS.filter(
        (mood) => 2 * count(rows, mood) > total && daysWith(rows, mood) >= 3,
      );
      for (const said of sentencesOf(bare)) {
        if (/often|(?<![Aa]t )most|usual|多半|大多|常常|經常|總是/.test(said)) {
          assert.ok(
            usual.some((mood) => said.includes(LABELS[locale][MOODS.indexOf(mood)]!)),
            said,
          );
        }
        for (const mood of MOODS) {
          const label = LABELS[locale][MOODS.indexOf(mood)]!;
          const once = `felt ${label} once|once felt ${label}|one early check-in says you felt ${label}|once you were ${label}|一次是?${label}|${label}只在前段.{0,3}過一次`;
          if (new RegExp(once, 'i').test(said)) assert.equal(count(rows, mood), 1, said);
          const named = locale === 'en' ? `felt ${label}` : label;
          if (said.includes(named)) assert.ok(count(rows, mood) > 0, said);
        }
      }
    }
  });
});

test('what is said of the length of notes is true of all of them, and the same in both languages', () => {
  const kindOf = (bare: string): string | undefined =>
    [
      ['grew', /notes are longer than|runs longer than|比開頭的長|比前半段長/],
      ['varied', /a good deal more than|times as long|多得多|長了好幾倍/],
      ['even', /about the same length|長短都差不多/],
    ].find(([, pattern]) => (pattern as RegExp).test(bare))?.[0] as string | undefined;
  holds(({ rows }, zh, en) => {
    const lengths = rows
      .toSorted(([a], [b]) => a - b)
      .map((row) => noteLength(row[2] ?? ''))
      .filter(Boolean);
    const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
    assert.equal(kindOf(zh.bare), kindOf(en.bare));
    for (const { bare } of [zh, en]) {
      if (/at length|a long one|很長/.test(bare)) assert.ok(longest >= 120);
    }
    const half = Math.floor(lengths.length / 2);
    const sum = (list: number[]) => list.reduce((total, length) => total + length, 0);
    const isTrue: Record<string, boolean> = {
      grew: sum(lengths.slice(-half)) > 1.3 * sum(lengths.slice(0, half)),
      varied: longest >= 3 * shortest,
      even: longest <= 1.3 * shortest,
    };
    assert.notEqual(isTrue[kindOf(en.bare) ?? ''], false);
  });
});

test('days, pauses and weekdays are those of the check-ins, and a pause is one by the frequency of the practice', () => {
  holds(({ rows, durationDays, frequencyMinDays }, zh, en) => {
    const days = [...new Set(rows.map(([day]) => day))].toSorted((a, b) => a - b);
    const longest = Math.max(0, ...days.slice(1).map((day, index) => day - days[index]! - 1));
    for (const { sections } of [zh, en]) {
      const numbers = sections.rhythm.replaceAll('one day', '1 days').match(/\d+/g)!.map(Number);
      assert.ok(numbers.includes(days.length) && numbers.includes(durationDays), sections.rhythm);
    }
    const isLong = /longest quiet stretch|at its longest|最長的一段空白|最久的時候/i;
    const isShort = /at most .{0,20}lay between|days? at most|最多隔了|中間最多/i;
    for (const { bare } of [zh, en]) {
      assert.doesNotMatch(bare, /once .{0,20}days went by|曾經停|有一次隔/i);
      if (isLong.test(bare)) assert.ok(longest >= 3 && (longest + 1) * frequencyMinDays > 14, bare);
      if (isShort.test(bare)) assert.ok((longest + 1) * frequencyMinDays <= 14, bare);
    }
    assert.equal(isLong.test(zh.bare), isLong.test(en.bare));
    const perWeekday = WEEKDAYS.map(
      (_, weekday) => days.filter((day) => (day + 1) % 7 === weekday).length,
    );
    for (const [weekday, name] of WEEKDAYS.entries()) {
      const isNamed = en.bare.includes(name);
      assert.equal(zh.bare.includes(`星期${'日一二三四五六'[weekday]}`), isNamed);
      if (isNamed)
        assert.equal(perWeekday.filter((times) => times >= perWeekday[weekday]!).length, 1);
    }
  });
});

test('what it quotes was written, from the beginning to the end of a sentence or to an ellipsis', () => {
  holds(({ rows, words }, zh, en) => {
    const notes = rows.map((row) => row[2] ?? '');
    const other = [
      words.title,
      words.action,
      words.reflection?.replace(/[。.]$/, ''),
      words.slogan,
      ...words.tags,
    ];
    for (const quote of [...zh.quotes, ...en.quotes]) {
      if (other.includes(quote)) continue;
      const isCut = quote.endsWith('…');
      const written = quote.replace(/…$/, '');
      const source = notes.find((text) => text.includes(written));
      assert.ok(source, `${quote} was never written`);
      const at = source.indexOf(written);
      assert.match(source.slice(0, at), /(?:^|[。！？.!?琴] ?)$/, quote);
      assert.match(
        written.slice(-1) + source.slice(at + written.length),
        isCut ? /^.[，,]/ : /^(?:[！？!?]|.[。.]|.$|琴 )/,
        quote,
      );
    }
  });
});

test('its words are of its language alone, keep the tone, and leave professions out', () => {
  holds((_, zh, en) => {
    assert.deepEqual([...checkTone(zh.sections, 'zh-TW'), ...checkTone(en.sections, 'en')], []);
    assert.doesNotMatch(en.bare, /\p{Script=Han}/u);
    assert.doesNotMatch(zh.bare, /[a-z]/i);
    assert.doesNotMatch(en.text, /起床先|慢一點|慢慢來|健康/);
    assert.doesNotMatch(zh.text, /Stand up|Slow gets|Take it|health/);
    for (const { text } of [zh, en]) {
      assert.doesNotMatch(text, /教育|Product man|堅持|放棄|必須|可惜|中斷|give up|streak/i);
      assert.doesNotMatch(text, /undefined|null|NaN|\b1 days|  /);
    }
  });
});
