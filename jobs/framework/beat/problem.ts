/** Errors that tell an operator how to correct a schedule. */
import { AppError } from '../../../base/errors.ts';

/** Renames `everyMs` in the error to the caller's spelling: `every_ms`, `--every-ms`. Returns other errors unchanged. */
export function inWordsOf(error: unknown, everyMs: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'SCHEDULE_INVALID') return error;
  const { field, ...rest } = error.details as { field: string };
  return new AppError(error.code, {
    message: error.message.replaceAll('everyMs', everyMs),
    details: { field: field === 'everyMs' ? everyMs : field, ...rest },
  });
}

/**
 * @param position of the first wrong character of `text`, starting at 1.
 * @returns `SCHEDULE_INVALID` with details `{ field, position? }`.
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
