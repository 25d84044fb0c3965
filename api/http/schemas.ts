/** Schema parts shared by all routes, and error responses. */
import { Type, type Static, type TSchema } from 'typebox';
import { ERRORS, type ErrorCode } from '../../base/errors.ts';

export const UUID_PATTERN =
  '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

export const VISIBLE_ASCII_PATTERN = '^[\\x21-\\x7e]*$';

/** Messages for values that do not match a pattern. */
export const PATTERN_PROBLEMS: Record<string, string> = {
  [UUID_PATTERN]: 'must be a UUID',
  [VISIBLE_ASCII_PATTERN]: 'must be visible ASCII characters without spaces',
};

export const EXAMPLE_PRACTICE = '5f0c2f0e-6b7a-4d51-9f2c-2f7d1c9a4e11';
export const EXAMPLE_TASK = '8a1d4c52-0f3e-4b7c-9a66-0d2b5e7f9c30';

export const Uuid = (description: string, example: string) =>
  Type.String({ pattern: UUID_PATTERN, description, examples: [example] });

export const Instant = (description: string) =>
  Type.String({ format: 'date-time', maxLength: 64, description });

/** A list of types, not a union: of a union the serializer would validate one alternative after the other in each answer. */
export function Nullable<T extends TSchema>(schema: T) {
  const { type, enum: words } = schema as { type?: string; enum?: string[] };
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [type, 'null'],
    ...(words && { enum: [...words, null] }),
  });
}

export const Locale = (description: string) =>
  Type.Enum(['zh-TW', 'en'], { type: 'string', description });

/** The validator keeps to the number. */
export const Details = Type.Unknown({
  description: 'What is wrong: an object, or a list of at most 16 problems.',
});

/** One response schema per status. */
export function errorResponses(...codes: ErrorCode[]): Record<string, TSchema> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [String(status), errorBodySchema(same)]),
  );
}

function errorBodySchema(codes: readonly ErrorCode[]): TSchema {
  return Type.Object(
    {
      error: Type.Object({
        code: Type.String({ description: codes.join(', ') }),
        message: Type.String({ description: 'A human-readable sentence.' }),
        details: Type.Optional(Details),
        request_id: Type.String({ description: 'Also in the x-request-id header.' }),
      }),
    },
    {
      description: codes.map((code) => `${code}: ${ERRORS[code].message}`).join(' '),
      examples: codes.map((code) => ({
        error: { code, message: ERRORS[code].message, request_id: 'req-1' },
      })),
    },
  );
}
