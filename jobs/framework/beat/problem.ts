/**
 * What is wrong with a schedule, told so that it can be put right.
 */
import { AppError } from '../../../base/errors.ts';

/** The same of a schedule's interval as whoever asks calls that: `every_ms`, `--every-ms`. Other errors are left as they are. */
export function inWordsOf(error: unknown, everyMs: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'SCHEDULE_INVALID') return error;
  const { field, ...rest } = error.details as { field: string };
  return new AppError(error.code, {
    message: error.message.replaceAll('everyMs', everyMs),
    details: { field: field === 'everyMs' ? everyMs : field, ...rest },
  });
}

/**
 * @param position of the first wrong character of `text`, from 1 on.
 * @returns `SCHEDULE_INVALID`, whose details are `{ field, position? }`.
 */
export function scheduleProblem(
  field: string,
  sentence: string,
  { text, position, example }: { text?: string; position?: number; example: string },
): AppError {
  const shown = text === undefined ? '' : ` ${JSON.stringify(text)}`;
  const place = position === undefined ? '' : `, character ${position}`;
  return new AppError('SCHEDULE_INVALID', {
    message: `${field}${shown}${place}: ${sentence} For example: ${example}`,
    details: { field, ...(position === undefined ? {} : { position }) },
  });
}
