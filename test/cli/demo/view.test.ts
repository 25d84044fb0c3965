import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut, DemoView, wrap, type TaskLine } from '../../../cli/demo/view.ts';
import { SEED_PRACTICES } from '../../../db/seed/practices.ts';

/** A terminal with 80 columns that keeps the lines it was given. */
function screen(columns: number | undefined = 80) {
  const written: string[] = [];
  return {
    isTTY: true,
    columns,
    written,
    write: (text: string) => written.push(text) > 0,
    /** The lines of tasks, without what erases the old ones. */
    lines: () =>
      written.filter((text) => text.startsWith('\u001B[2K')).map((text) => text.slice(4, -1)),
  };
}

/** Columns as a terminal counts them, for the characters of these tests. */
const widthOf = (text: string): number =>
  text.length + (text.match(/[\u3000-\u9fff\uff00-\uffef]/g)?.length ?? 0);

const task = (fields: Partial<TaskLine>): TaskLine => ({
  title: 'a title',
  status: 'running',
  progress: 0.5,
  note: null,
  ...fields,
});

test('no line wraps on 80 columns, whatever its title', () => {
  const out = screen();
  const titles = [...SEED_PRACTICES.map(({ title }) => title), '讀'.repeat(50), 'long '.repeat(50)];
  new DemoView(out).tasks(titles.map((title) => task({ title, note: 'reading the practice' })));
  const lines = out.lines();
  assert.equal(lines.length, titles.length);
  for (const line of lines) assert.ok(widthOf(line) < 80, line);
  assert.ok(lines.some((line) => line.endsWith('…')));
});

test('titles stand still while notes change', () => {
  const out = screen();
  const view = new DemoView(out);
  for (const note of ['reading the practice', 'writing', null]) view.tasks([task({ note })]);
  view.tasks([task({ status: 'done' })]);
  assert.equal(new Set(out.lines().map((line) => line.indexOf('a title'))).size, 1);
});

test('the second picture is drawn over the first', () => {
  const out = screen();
  const view = new DemoView(out);
  view.tasks([task({}), task({})]);
  view.tasks([task({}), task({})]);
  assert.deepEqual(
    out.written.filter((text) => text.endsWith('A')),
    ['\u001B[2A'],
  );
});

test('a terminal that does not tell its width is taken for one of 80 columns', () => {
  const out = screen(0);
  new DemoView(out).tasks([task({ title: 'x'.repeat(200) })]);
  assert.equal(out.lines()[0]?.length, 79);
});

test('text is cut by columns: wide characters are two, marks and joined emoji belong to what they are on', () => {
  assert.equal(cut('abc', 3), 'abc');
  assert.equal(cut('abcd', 3), 'ab…');
  assert.equal(cut('讀書', 4), '讀書');
  assert.equal(cut('讀書會', 5), '讀書…');
  assert.equal(cut('讀書會', 4), '讀…');
  assert.equal(cut('e\u0301e\u0301', 2), 'e\u0301e\u0301');
  assert.equal(cut('👩‍👩‍👧a', 3), '👩‍👩‍👧a');
});

test('prose is wrapped at blanks, and between characters of Chinese where no mark forbids it', () => {
  assert.deepEqual(wrap('Early on you often felt good.', 18), ['Early on you often', 'felt good.']);
  assert.deepEqual(wrap('  as far in as it began', 12), ['  as far in', '  as it', '  began']);
  assert.deepEqual(wrap('今天很好。', 8), ['今天很', '好。']);
  assert.deepEqual(wrap('你寫下「很好」', 8), ['你寫下', '「很好」']);
  assert.deepEqual(wrap('這 21 天裡，有 7 天', 9), ['這 21 天', '裡，有 7', '天']);
  assert.deepEqual(wrap('a-very-long-word and more', 8), ['a-very-long-word', 'and more']);
  assert.deepEqual(wrap('', 8), ['']);
});

test('wrapped text loses nothing but blanks, fits, and begins and ends no line with a mark that may not be there', () => {
  const word = fc.constantFrom(
    'often',
    'it',
    '讀書',
    '，',
    '。',
    '「',
    '」',
    ' ',
    '！',
    '“so”',
    '21',
  );
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 60 }),
      fc.integer({ min: 24, max: 60 }),
      (words, columns) => {
        const text = words
          .join('')
          .replaceAll(/ *[，。「」！]+ */g, (marks) => marks.trim().slice(0, 1))
          .trim();
        const lines = wrap(text, columns);
        const withoutBlanks = (given: string) => given.replaceAll(' ', '');
        assert.equal(withoutBlanks(lines.join('')), withoutBlanks(text));
        for (const [index, line] of lines.entries()) {
          if (line.includes(' ') || /[讀書]/.test(line)) assert.ok(widthOf(line) <= columns, line);
          if (index > 0) assert.doesNotMatch(line, /^[，。」！]/);
          if (index < lines.length - 1) assert.doesNotMatch(line, /「$/);
        }
        assert.ok(lines.every((line) => text.includes(line.trim())));
      },
    ),
  );
});

test('what the view says is wrapped on a terminal, and is left alone where a program reads it', () => {
  const text = `  ${'a word of prose '.repeat(12)}`;
  const out = screen(60);
  new DemoView(out).line(text);
  assert.ok(out.written.length > 2);
  for (const line of out.written) assert.match(line, /^ {2}\S.{0,57}\n$/);
  assert.equal(out.written.map((line) => line.trim()).join(' '), text.trim());
  const command = `  ${'A=1 '.repeat(20)}npm start    to be pasted`;
  new DemoView(out).line(command);
  assert.equal(out.written.at(-1), `${command}\n`);
  const file = { ...screen(60), isTTY: false };
  new DemoView(file).line(text);
  assert.deepEqual(file.written, [`${text}\n`]);
});
