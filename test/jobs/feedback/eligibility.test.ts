import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import {
  averageNoteLength,
  checkEligibility,
  progress,
} from '../../../jobs/feedback/eligibility.ts';
import { checkIn, createMaterial } from '../../support/domain/practice.ts';

const SETTINGS = { feedbackMinProgress: 70, feedbackMinNoteLength: 30, feedbackPerDay: 20 };

function refusal(material: Parameters<typeof checkEligibility>[0]): AppError {
  try {
    checkEligibility(material, SETTINGS);
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the practice was eligible' });
}

function daysOf(dates: readonly string[]) {
  return dates.map((date, index) => checkIn(index + 1, '字'.repeat(30), { date }));
}

test('a finished practice with enough progress and notes is eligible', () => {
  checkEligibility(createMaterial(), SETTINGS);
  checkEligibility(createMaterial({ practice: { status: 'archived' } }), SETTINGS);
  checkEligibility(createMaterial({ locale: 'en', practice: { progressPercentage: 70 } }), {
    ...SETTINGS,
    feedbackMinNoteLength: 20,
  });
});

for (const status of ['draft', 'not_started', 'active'] as const) {
  test(`a practice that is ${status} is not completed`, () => {
    const error = refusal(createMaterial({ practice: { status } }));
    assert.equal(error.code, 'PRACTICE_NOT_COMPLETED');
    assert.deepEqual(error.details, { status });
  });
}

test('too little progress is told with its number, just below the limit too', () => {
  const error = refusal(createMaterial({ practice: { progressPercentage: 69.99 } }));
  assert.equal(error.code, 'FEEDBACK_NOT_ENOUGH_CONTENT');
  assert.deepEqual(error.details, { progress: { actual: 69.9, required: 70 } });
});

test('thin notes are told with their average length', () => {
  const error = refusal(
    createMaterial({ checkIns: [checkIn(1, '字'.repeat(40)), checkIn(2, '累')] }),
  );
  assert.deepEqual(error.details, { average_note_length: { actual: 20.5, required: 30 } });
});

test('a Chinese note without spaces counts by its characters', () => {
  const material = createMaterial({ checkIns: [checkIn(1, '字'.repeat(35))] });
  assert.equal(averageNoteLength(material), 35);
  checkEligibility(material, SETTINGS);
});

test('check-ins without a note do not lower the average, and no notes at all are too little', () => {
  assert.equal(
    averageNoteLength(
      createMaterial({ checkIns: [checkIn(1, '字字'), checkIn(2, null), checkIn(3, ' \n')] }),
    ),
    2,
  );
  const error = refusal(createMaterial({ checkIns: [] }));
  assert.deepEqual(error.details, { average_note_length: { actual: 0, required: 30 } });
});

test('progress not stored is the distinct days checked in on, of the days the plan asks for', () => {
  const practice = { progressPercentage: null, durationDays: 10, frequencyMinDays: 3 };
  const twiceOnOneDay = daysOf(['2026-03-02', '2026-03-02', '2026-03-04']);
  assert.equal(progress(createMaterial({ practice, checkIns: twiceOnOneDay })), 40);
});

test('progress is capped at 100, and a plan of no days does not divide by zero', () => {
  const checkIns = daysOf(['2026-03-02', '2026-03-03', '2026-03-04']);
  const short = { progressPercentage: null, durationDays: 1, frequencyMinDays: 1 };
  assert.equal(progress(createMaterial({ practice: short, checkIns })), 100);
  assert.equal(
    progress(createMaterial({ practice: { ...short, frequencyMinDays: 0 }, checkIns: [] })),
    0,
  );
  assert.equal(progress(createMaterial({ practice: { progressPercentage: 130 } })), 100);
});
