/** Schemas of feedback. */
import { Type } from 'typebox';
import { EXAMPLE_PRACTICE, EXAMPLE_TASK, Instant, Locale, Uuid } from '../http/schemas.ts';

export const PracticeParams = Type.Object({
  id: Uuid('External id of a practice.', EXAMPLE_PRACTICE),
});

export const FeedbackRequest = Type.Object(
  {
    locale: Type.Optional(Locale("Language of the feedback. Default: the owner's preferred one.")),
  },
  { additionalProperties: false, examples: [{ locale: 'zh-TW' }] },
);

export const FeedbackBody = Type.Object(
  {
    practice_id: Type.String(),
    text: Type.String({ description: 'Three paragraphs separated by a blank line, no Markdown.' }),
    sections: Type.Object({
      breakthrough: Type.String(),
      rhythm: Type.String(),
      insight: Type.String(),
    }),
    locale: Locale('Language of the text.'),
    provider: Type.String({
      description: 'Provider that wrote the text; offline is the local coach.',
    }),
    model: Type.String(),
    task_id: Type.String(),
    version: Type.Integer({ description: 'Increases by one with each new text of the practice.' }),
    created_at: Instant('When it was stored.'),
  },
  {
    description: 'The newest feedback of a practice.',
    examples: [
      {
        practice_id: EXAMPLE_PRACTICE,
        text: 'You began with one page.\nEvenings suited you.\nAsk what the quiet hour gives you.',
        sections: {
          breakthrough: 'You began with one page.',
          rhythm: 'Evenings suited you.',
          insight: 'Ask what the quiet hour gives you.',
        },
        locale: 'en',
        provider: 'offline',
        model: 'offline-coach',
        task_id: EXAMPLE_TASK,
        version: 1,
        created_at: '2026-03-01T02:00:12.000Z',
      },
    ],
  },
);
