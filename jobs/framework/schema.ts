/** Validates values against schemas. */
import { Type, type TObject, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';

const validators = new WeakMap<TSchema, Validator>();

/** Compiles a schema on first use. */
export function fits(schema: TSchema, value: unknown): boolean {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator.Check(value);
}

const shortened = new WeakMap<TSchema, TSchema>();

/** @returns the schema of a payload that gets its `previous` later. */
export function withoutPrevious(schema: TSchema): TSchema {
  let short = shortened.get(schema);
  if (short === undefined) {
    const {
      type: _type,
      properties: _properties,
      required: _required,
      ...options
    } = schema as TObject;
    short = Type.Omit(schema as TObject, ['previous'], options);
    shortened.set(schema, short);
  }
  return short;
}
