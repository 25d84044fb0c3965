import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completionOf } from '../../../../db/embedded/coach/completion.ts';
import { findFacts } from '../../../../db/embedded/coach/facts.ts';
import { planOf } from '../../../../db/embedded/coach/plan.ts';
import type { PracticeMaterial } from '../../../../db/daodao/practices.ts';
import { SEED_PRACTICES } from '../../../../db/seed/practices.ts';
import { checkEligibility } from '../../../../jobs/feedback/eligibility.ts';
import { buildPrompt } from '../../../../jobs/feedback/prompt.ts';
import { SECTION_NAMES, type Sections } from '../../../../jobs/feedback/reply/parse.ts';
import { checkTone } from '../../../../jobs/feedback/reply/tone.ts';

const SETTINGS = { feedbackMinProgress: 70, feedbackMinNoteLength: 30, feedbackPerDay: 20 };

/** The practices of the seed that get feedback, as they are when all of it starts on one day. */
function materials(firstDay: string): PracticeMaterial[] {
  return SEED_PRACTICES.map((practice) => ({
    practice: {
      ...practice,
      ownerId: practice.owner.externalId,
      practiceAction: practice.action,
      startDate: firstDay,
      endDate: null,
      frequencyMinDays: practice.frequency[0],
      frequencyMaxDays: practice.frequency[1],
      sessionDurationMinutes: practice.sessionMinutes,
      progressPercentage: practice.progress,
      insightEdited: false,
    },
    owner: { ...practice.owner, preferredLocale: practice.owner.locale },
    checkIns: practice.checkIns.map(({ day, mood, note }, id) => ({
      id,
      date: dayAfter(firstDay, day),
      mood,
      note,
    })),
  })).filter((material) => {
    try {
      checkEligibility(material, SETTINGS);
      return true;
    } catch {
      return false;
    }
  });
}

function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}

const WEEK = Array.from({ length: 7 }, (_, day) => dayAfter('2026-03-02', day));

test('the practices of the seed differ in what is said of them, and few sentences are in half of them', () => {
  for (const firstDay of WEEK) {
    for (const locale of ['zh-TW', 'en'] as const) {
      const texts = materials(firstDay).map((material) => {
        const { messages } = buildPrompt(material, locale);
        const sections = JSON.parse(completionOf(messages).choices[0]!.message.content) as Sections;
        assert.deepEqual(checkTone(sections, locale), []);
        const claims = Object.values(planOf(findFacts(messages)!))
          .flat()
          .map(({ name }) => name);
        return { sections, claims };
      });
      assert.ok(texts.length >= 7);
      assert.equal(new Set(texts.map(({ claims }) => claims.join(' '))).size, texts.length);
      const seen = new Map<string, number>();
      for (const { sections } of texts) {
        for (const said of new Set(SECTION_NAMES.flatMap((name) => frames(sections[name])))) {
          seen.set(said, (seen.get(said) ?? 0) + 1);
        }
      }
      for (const [said, times] of seen) {
        assert.ok(times <= Math.ceil(texts.length / 2), `${firstDay}: ${times} times: ${said}`);
      }
    }
  }
});

/** Sentences without what is particular: quotes and numbers. */
function frames(text: string): string[] {
  const bare = text.replaceAll(/“[^”]*”|「[^」]*」/g, '""').replaceAll(/\d+/g, '0');
  return (bare.match(/[^。？.?]+[。？.?]*/g) ?? []).map((sentence) => sentence.trim());
}
