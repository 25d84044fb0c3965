/** Validates requests with the schemas that type the handlers. */
import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { count } from '../../base/count.ts';
import { AppError } from '../../base/errors.ts';
import { NO_BODY } from './body.ts';
import { PATTERN_PROBLEMS } from './schemas.ts';

export interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

type ValidationError = ReturnType<ReturnType<typeof Compile>['Errors']>[number];

const WHERE: Record<string, string> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

const validators = new WeakMap<TSchema, Validator>();

/** Converts numbers in paths and queries; bodies are not converted. Never drops unknown fields. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  // A schema may serve two paths.
  const validator = validators.get(schema) ?? Compile(schema);
  validators.set(schema, validator);
  const converts = httpPart === 'params' || httpPart === 'querystring';
  return (data: unknown) => {
    if (validator.Check(data)) return { value: data };
    // Only what does not fit as it is, because converting takes longer than all other checks of a request.
    const value: unknown = converts ? validator.Convert(data) : data;
    if (converts && validator.Check(value)) return { value };
    const where = WHERE[httpPart] ?? httpPart;
    return { error: invalid(where, validator.Errors(value), schema, data === NO_BODY) };
  };
};

/** The first problem, as a sentence. */
export function sentenceOf(where: string, errors: readonly ValidationError[]): string {
  return invalid(where, errors).message;
}

interface Problem {
  in: string;
  field: string;
  problem: string;
}

/** Of an error body. The validator itself stops after eight errors, of which one may name several fields. */
export const MAX_PROBLEMS = 16;

/** Names the place and the rule, never the value. */
function invalid(
  where: string,
  errors: readonly ValidationError[],
  schema: TSchema = {},
  isMissing = false,
): AppError {
  const details = withoutUnions(errors)
    // Repeats the unknown fields, which their object lists already.
    .filter(({ keyword }) => keyword !== 'boolean')
    .flatMap((error) => problemsOf(where, error, schema))
    .slice(0, MAX_PROBLEMS);
  const [first] = details;
  if (first === undefined) return new AppError('REQUEST_INVALID');
  const name = first.field.replace(/^\//, '');
  const message = isMissing
    ? `The body is missing: ${name || 'it'} ${first.problem}.`
    : `${name === '' ? `The ${where}` : `${name} (${where})`} ${first.problem}.`;
  return new AppError('REQUEST_INVALID', { message, details });
}

/** For a union, keeps the errors of the alternative whose type matches, otherwise lists all accepted types. */
function withoutUnions(errors: readonly ValidationError[]): ValidationError[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf');
  const isTypeOf = (union: ValidationError, error: ValidationError): boolean =>
    error.keyword === 'type' &&
    error.instancePath === union.instancePath &&
    error.schemaPath.startsWith(`${union.schemaPath}/anyOf/`);
  return errors.flatMap((error) => {
    if (error.keyword !== 'anyOf')
      return unions.some((union) => isTypeOf(union, error)) ? [] : [error];
    const inside = errors.filter(({ schemaPath }) =>
      schemaPath.startsWith(`${error.schemaPath}/anyOf/`),
    );
    const type = inside.flatMap((one) =>
      one.keyword === 'type' && isTypeOf(error, one) ? one.params.type : [],
    );
    return type.length < inside.length ? [] : [{ ...error, keyword: 'type', params: { type } }];
  });
}

function problemsOf(where: string, error: ValidationError, schema: TSchema): Problem[] {
  const at = (path: string): string =>
    // Body paths are JSON pointers; other parts are flat lists of names.
    (where === 'body' ? path : path.slice(1)).slice(0, NAME_LENGTH);
  const { instancePath } = error;
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((name) => ({
      in: where,
      field: at(`${instancePath}/${name}`),
      problem: 'is required',
    }));
  }
  return [{ in: where, field: at(instancePath), problem: problem(error, schema) }];
}

/** Characters of a field's path or of a list of names. */
const NAME_LENGTH = 64;

function problem({ keyword, params, message }: ValidationError, schema: TSchema): string {
  if (keyword === 'additionalProperties') {
    return `has unknown fields: ${namesOf(params.additionalProperties)}`;
  }
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`;
  if (keyword === 'type') return `must be ${[params.type].flat().map(withArticle).join(' or ')}`;
  if (keyword === 'minimum') return `must be at least ${params.limit}`;
  if (keyword === 'maximum') return `must be at most ${params.limit}`;
  if (keyword === 'minProperties')
    return `must have at least ${params.limit} of ${fieldsOf(schema)}`;
  if (keyword === 'minItems') return `must have at least ${count(params.limit, 'item')}`;
  if (keyword === 'maxItems') return `must have at most ${count(params.limit, 'item')}`;
  if (keyword === 'minLength') return `must have at least ${count(params.limit, 'character')}`;
  if (keyword === 'maxLength') return `must have at most ${count(params.limit, 'character')}`;
  if (keyword === 'format' && params.format === 'date-time') return DATE_TIME_PROBLEM;
  if (keyword === 'pattern') return PATTERN_PROBLEMS[String(params.pattern)] ?? message;
  return message;
}

function namesOf(names: readonly string[]): string {
  return names.slice(0, NAME_LENGTH).join(', ').slice(0, NAME_LENGTH);
}

const DATE_TIME_PROBLEM =
  'must be a date and time with an offset, for example 2026-03-01T02:00:00Z';

/** Only bodies have `minProperties`, so the root schema has the fields. */
function fieldsOf(schema: TSchema): string {
  return Object.keys('properties' in schema ? (schema.properties as object) : {}).join(', ');
}

function withArticle(type: string): string {
  if (type === 'null') return type;
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}
