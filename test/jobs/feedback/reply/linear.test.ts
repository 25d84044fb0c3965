import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseReply } from '../../../../jobs/feedback/reply/parse.ts';
import { checkTone, dropViolatingSentences } from '../../../../jobs/feedback/reply/tone.ts';
import { stretched } from '../../../support/patience.ts';

const SIZE = 200_000;
const LIMIT_MS = stretched(50);

/** Openings that a search may follow to the end of the text in vain, again and again. */
const OPENINGS = [
  '{"breakthrough"',
  '{"breakthrough":{',
  '{"breakthrough":[',
  '{',
  '[',
  '}',
  '"',
  '<think>',
  '</think>',
  '<think></think',
  '```',
  '```json\n',
  '` ',
  '\n',
  '\n ',
  ' ',
  '，\n',

  '.',
  '.x',
  'a.',
  '1.',
  '1 . ',
  '。」',
  '?」',
  '.” ',
  'a:',
  'a :',
  '1:',
  '::',
  '/ ',
  'dot(',
  '點 ',
  '「',
  '“',
  '《',
  '【',
  '~',
  '_a',
  '&',
  '&lt',
  '[x](',
  '<a ',
  '@',
  'www',
  'must ',
  '第1',
  '連續一',
  '\u200b',
  '👩\u200d',
  '❤\ufe0f',
  'e\u0301',
  '\u0301',
  'ﷺ',
  '你',
  'a',
  ' a',
  '．',
  '1',
];

const repeated = (opening: string, size: number): string =>
  opening.repeat(Math.ceil(size / opening.length)).slice(0, size);

function judge(text: string): void {
  const parsed = parseReply(text);
  if ('problem' in parsed) return;
  for (const locale of ['zh-TW', 'en'] as const) {
    if (checkTone(parsed.sections, locale).length > 0) {
      dropViolatingSentences(parsed.sections, locale);
    }
  }
}

/** Time of the processor: what other processes take does not count. The best of three, since the first run compiles. */
function cost(text: string): number {
  const times = [0, 1, 2].map(() => {
    const before = process.cpuUsage();
    judge(text);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

for (const opening of OPENINGS) {
  test(`200,000 characters of ${JSON.stringify(opening)} are judged at once`, () => {
    const text = repeated(opening, SIZE);
    const paragraph = repeated(opening, 1490);
    const texts = {
      alone: text,
      'with an end': `${text}x`,
      'after a word': `你很好，\n${text}x`,
      'eight hundred times': opening.repeat(800),
      'as a paragraph': JSON.stringify({ breakthrough: `，${text}x`, rhythm: 'b', insight: 'c' }),
      'as three': [text, text, text].map((part) => part.slice(0, SIZE / 3)).join('\n\n'),
      'in the longest paragraphs': JSON.stringify({
        breakthrough: paragraph,
        rhythm: paragraph,
        insight: paragraph,
      }),
    };
    for (const [how, each] of Object.entries(texts)) {
      const took = cost(each);
      assert.ok(took <= LIMIT_MS, `${how}: ${took.toFixed(0)} ms`);
    }
  });
}

test('any 200,000 characters are judged at once', () => {
  const unit = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom(...OPENINGS));
  const text = fc
    .array(unit, { minLength: 1, maxLength: 6 })
    .map((units) => repeated(units.join(''), SIZE));
  fc.assert(
    fc.property(text, fc.boolean(), (any, isShaped) => {
      const said = any.slice(0, 1490);
      const reply = isShaped
        ? JSON.stringify({ breakthrough: said, rhythm: said, insight: said })
        : any;
      const took = cost(reply);
      assert.ok(took <= LIMIT_MS, `${took.toFixed(0)} ms`);
    }),
  );
});
