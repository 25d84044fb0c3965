/**
 * Requests are checked with the same schemas that give the handlers their types.
 */
import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { AppError } from '../errors.ts';
import { PATTERN_PROBLEMS } from './schemas.ts';

/** Gives handlers the types of their TypeBox schemas. */
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

/** Text in a path or query is converted to the number it spells; a body must be right as it is. Nothing is ever dropped. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  // A route may be served under two paths.
  const validator = validators.get(schema) ?? Compile(schema);
  validators.set(schema, validator);
  const converts = httpPart === 'params' || httpPart === 'querystring';
  return (data: unknown) => {
    const value: unknown = converts ? validator.Convert(data) : data;
    return validator.Check(value)
      ? { value }
      : { error: invalid(WHERE[httpPart] ?? httpPart, validator.Errors(value)) };
  };
};

/** What is wrong first, in a sentence. */
export function sentenceOf(where: string, errors: readonly ValidationError[]): string {
  return invalid(where, errors).message;
}

/** Names the place and the rule, never the value. */
function invalid(where: string, errors: readonly ValidationError[]): AppError {
  const details = errors
    // Said of each unknown field, and again of their object, with all their names.
    .filter(({ keyword }) => keyword !== 'boolean')
    .map((error) => ({
      in: where,
      field: fieldOf(where, error.instancePath),
      problem: problem(error),
    }));
  const [first] = details;
  if (first === undefined) return new AppError('REQUEST_INVALID');
  const name = first.field.replace(/^\//, '');
  const subject = name === '' ? `The ${where}` : `${name} (${where})`;
  const message = `${subject} ${first.problem}.`;
  return new AppError('REQUEST_INVALID', { message, details });
}

/** A path within a body is a JSON pointer; everything else is a flat list of names. */
function fieldOf(where: string, instancePath: string): string {
  return (where === 'body' ? instancePath : instancePath.slice(1)).slice(0, 64);
}

function problem({ keyword, params, message }: ValidationError): string {
  if (keyword === 'additionalProperties') {
    return `has unknown fields: ${params.additionalProperties.join(', ').slice(0, 200)}`;
  }
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`;
  if (keyword === 'type') return `must be ${[params.type].flat().map(withArticle).join(' or ')}`;
  if (keyword === 'minimum') return `must be at least ${params.limit}`;
  if (keyword === 'maximum') return `must be at most ${params.limit}`;
  if (keyword === 'pattern') return PATTERN_PROBLEMS[String(params.pattern)] ?? message;
  return message;
}

function withArticle(type: string): string {
  if (type === 'null') return type;
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}
