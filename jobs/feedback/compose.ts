/**
 * Holds the conversation with the model: at most one call each to write, to repair the format and to fix the tone. Each call is a
 * step whose raw reply is stored before it is parsed.
 */
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import { outcomeOf } from '../llm/error.ts';
import type { ChatReply, ChatRequest } from '../llm/model.ts';
import type { Context } from '../define.ts';
import { inputHash } from './input-hash.ts';
import type { Locale } from '../common/locale.ts';
import { buildPrompt, followUp } from './prompt.ts';
import { parseReply, type Sections } from './reply/parse.ts';
import { askForRepair, askForTone } from './rules.ts';
import { checkTone, dropViolatingSentences, type Violation } from './reply/tone.ts';

/** Includes the hash of the material, because a later attempt may read newer check-ins. */
export type KeptReply = ChatReply & {
  inputHash: string;
  /** Taken from an earlier task, which has recorded the call. */
  isRecorded?: boolean;
};

/** The step that every composition begins with. */
export const FIRST_STEP = 'llm';

export interface Call {
  step: string;
  reply: KeptReply;
  /** `invalid`: wrong format; `off_tone`: breaks the tone rules. */
  status: 'ok' | 'invalid' | 'off_tone';
}

export interface Composition {
  /** In order; the last call wrote the text. */
  calls: [Call, ...Call[]];
  /** Undefined when no reply was usable. */
  sections: Sections | undefined;
}

type Judged = { problem: string } | { sections: Sections; violations: Violation[] };

/**
 * @param paid replies of an earlier task to the same input, by step: used instead of another call.
 * @throws {Retry | Reject} when the model does not answer.
 */
export async function composeFeedback(
  material: PracticeMaterial,
  locale: Locale,
  ctx: Context,
  paid: ReadonlyMap<string, KeptReply> = new Map(),
): Promise<Composition> {
  const prompt = buildPrompt(material, locale);

  async function ask(step: string, request: ChatRequest): Promise<[Call, Judged]> {
    const reply = await ctx
      .step<KeptReply>(
        step,
        async () =>
          paid.get(step) ?? {
            ...(await ctx.llm.chat({ ...request, signal: ctx.signal })),
            inputHash: inputHash(material, locale),
          },
      )
      .catch((error: unknown) => {
        throw outcomeOf(error);
      });
    const judged = judge(reply, locale);
    return [{ step, reply, status: statusOf(judged) }, judged];
  }

  ctx.progress(0.2, 'writing');
  let [call, judged] = await ask(FIRST_STEP, prompt);
  const calls: Composition['calls'] = [call];

  if ('problem' in judged) {
    ctx.progress(0.5, 'repairing');
    const complaint = askForRepair(judged.problem, locale);
    [call, judged] = await ask('llm:repair', followUp(prompt, call.reply.text, complaint));
    calls.push(call);
  }
  if ('problem' in judged) return { calls, sections: undefined };
  if (judged.violations.length === 0) return { calls, sections: judged.sections };

  ctx.progress(0.7, 'revising the tone');
  const complaint = askForTone(judged.violations, locale);
  const [mendingCall, mended] = await ask('llm:tone', followUp(prompt, call.reply.text, complaint));
  calls.push(mendingCall);
  const revised = 'problem' in mended ? undefined : dropViolatingSentences(mended.sections, locale);
  return { calls, sections: revised ?? dropViolatingSentences(judged.sections, locale) };
}

function judge({ text, truncated }: ChatReply, locale: Locale): Judged {
  if (truncated) return { problem: 'The reply was too long and was cut off.' };
  const parsed = parseReply(text);
  return 'problem' in parsed
    ? parsed
    : { sections: parsed.sections, violations: checkTone(parsed.sections, locale) };
}

function statusOf(judged: Judged): Call['status'] {
  if ('problem' in judged) return 'invalid';
  return judged.violations.length === 0 ? 'ok' : 'off_tone';
}
