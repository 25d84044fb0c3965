import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noteLength, tellingNotes } from '../../../jobs/feedback/notes.ts';
import { checkIn } from '../../support/domain/practice.ts';

const CASES: [string, number][] = [
  ['', 0],
  ['今天讀了三頁，很開心！', 9],
  ['read 3 pages today', 4],
  ['用Figma畫了2張wireframe', 7],
  ['😀🎉❤️🇹🇼👨‍👩‍👧', 0],
  ['1️⃣2️⃣#️⃣', 0],
  ['  \n\t，。！「」…—', 0],
  ['ㄅㄆㄇ 々〇', 5],
  ['カタカナ ひらがな 한글', 10],
  ['naïve café cafe\u0301', 3],
  ['𠮷野家', 3],
];

for (const [note, length] of CASES) {
  test(`the length of ${JSON.stringify(note)} is ${length}`, () => {
    assert.equal(noteLength(note), length);
  });
}

const word = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/);
const han = fc.stringMatching(/^[一-龥]$/);
const filler = fc.constantFrom(' ', '，', '。', '😀', '！', '\n', '❤️', '—');

test('the length counts words and characters, whatever stands between them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(word, han), fc.array(filler, { minLength: 1 }))),
      (parts) => {
        const note = parts.map(([unit, between]) => unit + between.join('')).join('');
        assert.equal(noteLength(note), parts.length);
      },
    ),
  );
});

test('no text makes the length fail or exceed its characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (note) => {
      const length = noteLength(note);
      assert.ok(length >= 0 && length <= note.length);
    }),
  );
});

test('the most telling notes are the long ones and those that speak of change, in the order they were written', () => {
  const notes = [
    checkIn(1, '發現自己不再害怕開口，原來錯了也沒有人在意，慢慢變得自在。'),
    checkIn(2, '今天很累。'),
    checkIn(3, '今天照著計畫做完，沒有特別的事情，天氣很好，吃了一碗麵。'),
    checkIn(4, '開始享受這段時間，第一次覺得時間太短，其實可以再久一點點。'),
  ];
  assert.deepEqual(
    tellingNotes(notes).map(({ checkIn: { id } }) => id),
    [1, 4],
  );
});

test('a note sent twice, an empty one and one of emoji only are not told', () => {
  const notes = [
    checkIn(1, '寫了一點'),
    checkIn(2, '寫了一點'),
    checkIn(3, null),
    checkIn(4, '🎉🎉'),
  ];
  assert.deepEqual(
    tellingNotes(notes).map(({ checkIn: { id } }) => id),
    [1],
  );
});
