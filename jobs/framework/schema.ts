/** Validates values against schemas. */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';

const validators = new WeakMap<TSchema, Validator>();

/** Compiles a schema on first use. */
export function fits(schema: TSchema, value: unknown): boolean {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator.Check(value);
}
