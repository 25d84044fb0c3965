import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinSections, parseReply, SECTION_NAMES } from '../../../../jobs/feedback/reply/parse.ts';

const SECTIONS = {
  breakthrough: '你變得更自在了。',
  rhythm: '你常在週三出現。',
  insight: '想想這句話。',
};
const JSON_TEXT = JSON.stringify(SECTIONS);

const UNDERSTOOD: [string, string][] = [
  ['a JSON object', JSON_TEXT],
  ['a JSON object in a code fence', `\`\`\`json\n${JSON_TEXT}\n\`\`\``],
  ['a fence with words around it', `Sure!\n\`\`\`\n${JSON_TEXT}\n\`\`\`\nEnjoy.`],
  ['an answer after a thought', `<think>{"breakthrough": "draft"}\n</think>\n${JSON_TEXT}`],
  ['an answer after a thought whose opening tag was swallowed', `let me see…</think>${JSON_TEXT}`],
  ['an answer before a thought that is not closed', `${JSON_TEXT}<think>was that right`],
  ['three paragraphs', Object.values(SECTIONS).join('\n\n')],
  ['three lines', `\n${Object.values(SECTIONS).join('\n')}\n`],
];

for (const [name, text] of UNDERSTOOD) {
  test(`${name} is understood`, () => {
    assert.deepEqual(parseReply(text), { sections: SECTIONS });
  });
}

const REFUSED: [string, string, RegExp][] = [
  ['nothing but a thought', '<think>hm', /empty/],
  ['two paragraphs', '一。\n\n二。', /2 paragraphs/],
  ['four paragraphs', '一。\n\n二。\n\n三。\n\n四。', /4 paragraphs/],
  ['cut JSON', JSON_TEXT.slice(0, -5), /valid JSON/],
  ['a list', `[${JSON_TEXT}]`, /exactly the keys/],
  ['a missing key', '{"breakthrough":"a","rhythm":"b"}', /exactly the keys/],
  ['an extra key', JSON.stringify({ ...SECTIONS, admin: true }), /exactly the keys/],
  ['a key of another type', JSON.stringify({ ...SECTIONS, rhythm: 5 }), /exactly the keys/],
  ['a blank paragraph', JSON.stringify({ ...SECTIONS, rhythm: ' \n' }), /rhythm was empty/],
  [
    'an endless paragraph',
    JSON.stringify({ ...SECTIONS, insight: '字'.repeat(2000) }),
    /longer than/,
  ],
];

for (const [name, text, problem] of REFUSED) {
  test(`${name} is refused with the reason`, () => {
    const parsed = parseReply(text);
    assert.ok('problem' in parsed);
    assert.match(parsed.problem, problem);
  });
}

test('whatever a model says, what comes out are three single paragraphs or a problem', () => {
  const anything = fc.string({ unit: 'binary' });
  const shaped = fc
    .record({ breakthrough: anything, rhythm: anything, insight: anything })
    .map((sections) => JSON.stringify(sections));
  fc.assert(
    fc.property(fc.oneof(anything, shaped), (text) => {
      const parsed = parseReply(text);
      if ('problem' in parsed) return;
      const joined = joinSections(parsed.sections);
      assert.deepEqual(
        joined.split('\n\n'),
        SECTION_NAMES.map((name) => parsed.sections[name]),
      );
      assert.doesNotMatch(joined.replaceAll('\n', ''), /\p{Cc}|\p{Cs}/u);
    }),
  );
});

test('what was joined is read back as the same three paragraphs', () => {
  const paragraph = fc
    .stringMatching(/^[a-z一-龥，。 ]{0,40}[a-z一-龥]$/)
    .map((text) => text.trim());
  fc.assert(
    fc.property(
      fc.record(
        { breakthrough: paragraph, rhythm: paragraph, insight: paragraph },
        { noNullPrototype: true },
      ),
      (sections) => {
        assert.deepEqual(parseReply(joinSections(sections)), { sections });
        assert.deepEqual(parseReply(JSON.stringify(sections)), { sections });
      },
    ),
  );
});

test('an object between other words is read as the object, never as paragraphs', () => {
  const sections = { breakthrough: '一。', rhythm: '二。', insight: '三。' };
  const object = JSON.stringify(sections);
  for (const text of [
    `Here it is:\n${object}\nI hope it helps.`,
    `Here it is:\n\n${object}\n\nI hope it helps.`,
    `${object}\nDone.`,
  ])
    assert.deepEqual(parseReply(text), { sections }, text);
  const broken = parseReply('Here:\n{"breakthrough": "一", "rhythm"}\nDone.');
  assert.deepEqual(broken, { problem: 'The reply was not valid JSON.' });
});
