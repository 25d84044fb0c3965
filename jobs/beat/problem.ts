/**
 * What is wrong with a schedule, told so that it can be put right.
 */
import { AppError } from '../../errors.ts';

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
