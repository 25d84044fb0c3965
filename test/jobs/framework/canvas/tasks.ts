/** Tasks to compose. */
import { Type, type TSchema } from 'typebox';
import { defineTask } from '../../../../jobs/framework/define.ts';

const never = async (): Promise<never> => {
  throw new Error('It is only composed.');
};

const taking = <P extends TSchema>(previous: P) => Type.Object({ k: Type.Integer(), previous });

/** Takes nothing before it. */
export const source = defineTask({
  name: 'source',
  payload: Type.Object({ n: Type.Integer() }),
  result: Type.Integer(),
  run: never,
});

/** From a number to a text. */
export const print = defineTask({
  name: 'print',
  payload: taking(Type.Integer()),
  result: Type.String(),
  run: never,
});

/** From a text to a flag. */
export const judge = defineTask({
  name: 'judge',
  payload: taking(Type.String()),
  result: Type.Boolean(),
  run: never,
});

/** From numbers to a number. */
export const sum = defineTask({
  name: 'sum',
  payload: taking(Type.Array(Type.Integer())),
  result: Type.Integer(),
  run: never,
});

/** Takes what there is. */
export const any = defineTask({
  name: 'any',
  payload: Type.Object({ previous: Type.Unknown() }),
  result: Type.Null(),
  run: never,
});

/** Takes the results of two nodes. */
export const merge = defineTask({
  name: 'merge',
  payload: Type.Object({ previous: Type.Object({ a: Type.Integer(), b: Type.String() }) }),
  result: Type.Null(),
  run: never,
});

/** Its `previous` may be absent. */
export const maybe = defineTask({
  name: 'maybe',
  payload: Type.Object({ previous: Type.Optional(Type.Integer()) }),
  result: Type.Integer(),
  run: never,
});

export const batch = defineTask({
  name: 'batch',
  payload: Type.Object({ items: Type.Array(Type.Integer()), unit: Type.String() }),
  result: Type.Integer(),
  run: never,
});

export const bare = defineTask({
  name: 'bare',
  payload: Type.Object({ items: Type.Array(Type.Integer()) }),
  result: Type.Null(),
  run: never,
});

export const transient = defineTask({
  name: 'transient',
  durable: false,
  payload: Type.Object({}),
  result: Type.Null(),
  run: never,
});
