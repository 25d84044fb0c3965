/**
 * Whether values fit schemas.
 */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';

const validators = new WeakMap<TSchema, Validator>();

/** Whether a value fits a schema, which is compiled when it is first used. */
export function fits(schema: TSchema, value: unknown): boolean {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator.Check(value);
}
