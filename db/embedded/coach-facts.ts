/**
 * What the coach knows of a practice: the JSON of the data message in the prompt,
 *
 *     <practice_data>
 *     {"locale", "practice": {"title", "durationDays", "timesPerWeek", "tags"?, "sessionMinutes"?},
 *      "owner": {"nickname"?, "slogan"?, "fields"?}, "statistics": {...}, "notes": [{"day", "mood"?, "text"}]}
 *     </practice_data>
 *
 * Whatever is missing or of another type counts as unknown.
 */
import { hash } from './coach-embedding.ts';

export type Mood = 'give_up' | 'frustrated' | 'bored' | 'neutral' | 'good' | 'happy';

export interface Facts {
  locale: 'zh-TW' | 'en';
  title: string | undefined;
  tags: string[];
  durationDays: number;
  sessionMinutes: number | undefined;
  nickname: string | undefined;
  slogan: string | undefined;
  field: string | undefined;
  checkIns: number;
  days: number;
  moodAtStart: Mood | undefined;
  moodAtEnd: Mood | undefined;
  moodTrend: 'lighter' | 'heavier' | 'steady' | undefined;
  /** 0 is Sunday. */
  favouriteWeekday: number | undefined;
  longestPauseDays: number;
  notesGrew: boolean;
  notes: { day: number; text: string }[];
  /** One of the given variants; which one depends on the practice and on `salt` alone. */
  vary: <T>(salt: string, variants: readonly T[]) => T;
}

const DATA = /^<practice_data>\n([\s\S]*)\n<\/practice_data>$/;

/** The facts in the last data message, if there is one. */
export function findFacts(messages: unknown[]): Facts | undefined {
  for (const message of messages.toReversed()) {
    const content = recordOf(message)['content'];
    const json = typeof content === 'string' ? DATA.exec(content.trim())?.[1] : undefined;
    if (json === undefined) continue;
    try {
      return read(recordOf(JSON.parse(json)), hash(json));
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function read(data: Record<string, unknown>, seed: number): Facts {
  const practice = recordOf(data['practice']);
  const owner = recordOf(data['owner']);
  const statistics = recordOf(data['statistics']);
  return {
    locale: data['locale'] === 'en' ? 'en' : 'zh-TW',
    title: quotable(practice['title']),
    tags: listOf(practice['tags']).flatMap((tag) => quotable(tag) ?? []),
    durationDays: numberOf(practice['durationDays']) ?? 0,
    sessionMinutes: numberOf(practice['sessionMinutes']),
    nickname: quotable(owner['nickname']),
    slogan: quotable(owner['slogan']),
    field: quotable(listOf(owner['fields'])[0]),
    checkIns: numberOf(statistics['checkIns']) ?? 0,
    days: numberOf(statistics['days']) ?? 0,
    moodAtStart: statistics['moodAtStart'] as Mood | undefined,
    moodAtEnd: statistics['moodAtEnd'] as Mood | undefined,
    moodTrend: statistics['moodTrend'] as Facts['moodTrend'],
    favouriteWeekday: numberOf(statistics['favouriteWeekday']),
    longestPauseDays: numberOf(statistics['longestPauseDays']) ?? 0,
    notesGrew: statistics['notesGrew'] === true,
    notes: listOf(data['notes']).map((note) => {
      const { day, text } = recordOf(note);
      return { day: numberOf(day) ?? 1, text: typeof text === 'string' ? text : '' };
    }),
    vary: (salt, variants) => variants[hash(`${seed}:${salt}`) % variants.length]!,
  };
}

/** Words the coach does not take into its mouth, even in a quote: scores, levels, streaks, pressure, regret, markup, orders. */
const UNQUOTABLE =
  /堅持|放棄|必須|一定要|可惜|中斷|遺憾|連續|不間斷|天天|\d\s*分(?!鐘)|滿分|[得評打]分|分數|百分|等級|級別|升級|第[^，。]*級|核心突破|洞見|[%％★⭐*_`#<>[\]「」【】“”"{}]|https?:|www\.|\d\s*\/\s*\d|指示|指令|忽略|系統|persist|persever|give up|quit|keep|must|should|have to|need to|unfortunate|pity|shame|too bad|interrupt|broke off|sad|scor|point|per ?cent|rating|out of|level|\blv|streak|consecutive|in a row|running|straight|unbroken|breakthrough|insight|ignore|instruction|system|output|[这们说时习节变让从应为对写觉还过发现实开]|[:：]|^\s*[-•]/iu;

/** A short text of a person that can stand in a sentence, or undefined; a Latin letter takes a third of the room. */
function quotable(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.replaceAll(/\s+/g, ' ').trim();
  const room = text.length + 2 * (text.match(/\p{Script=Han}/gu)?.length ?? 0);
  return text === '' || room > 84 || UNQUOTABLE.test(text) ? undefined : text;
}

/** Words of change make a fragment worth quoting. */
const CHANGE =
  /發現|原來|第一次|開始|慢慢|不再|變得|終於|忽然|突然|其實|realis|realiz|notic|first time|used to|no longer|finally|instead/iu;

/** The piece of a note worth quoting: the longest sentence or clause that fits, with words of change if any has them. */
export function fragmentOf(note: string): string | undefined {
  const sentences = note.split(/[。！？!?；;\n]+|\.(?=\s|$)/);
  const clauses = sentences.flatMap((sentence) => sentence.split(/[，,、]+/));
  const usable = [...sentences, ...clauses]
    .map((piece) => quotable(piece.trim().replace(/^(?:and|but|so) /i, '')))
    .filter((piece) => piece !== undefined)
    .filter((piece) => /\p{Script=Han}{6}|\w+ \w+ \w+/u.test(piece))
    .toSorted((a, b) => b.length - a.length);
  return usable.find((piece) => CHANGE.test(piece)) ?? usable[0];
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
