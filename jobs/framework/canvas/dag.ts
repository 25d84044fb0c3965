/** Named work with any number of predecessors. */
import {
  composite,
  frozen,
  type Composite,
  type DagNode,
  type NeedsOf,
  type Part,
  type ResultOf,
} from './composition.ts';

type Nodes = Readonly<Record<string, DagNode>>;
type Results<N extends Nodes> = { -readonly [K in keyof N]: ResultOf<N[K]['run']> };

type After<T extends DagNode> = T extends { after: infer A extends readonly string[] } ? A : [];
/** The result before a node: that of its only predecessor, or those of several by name. */
type Before<N extends Nodes, A extends readonly string[]> = A extends readonly []
  ? never
  : A extends readonly [infer K extends keyof N]
    ? ResultOf<N[K]['run']>
    : { [K in A[number] & keyof N]: ResultOf<N[K]['run']> };
type Roots<N extends Nodes> = {
  [K in keyof N]: After<N[K]> extends readonly [] ? N[K]['run'] : never;
}[keyof N];

type Checked<N extends Nodes> = {
  readonly [K in keyof N]: {
    readonly run: Part<Before<N, After<N[K]>>>;
    readonly after?: readonly (keyof N)[];
  };
};

/**
 * Work by name; `after` names the nodes that a node waits for. A node without any accepts what is before the dag. One that has a
 * single predecessor accepts its result, one that has several an object of their results by name. The result is an object of all.
 */
export function dag<const N extends Nodes>(
  nodes: N & Checked<N>,
): Composite<Results<N>, NeedsOf<Roots<N>>> {
  const copies: Nodes = Object.fromEntries(
    Object.entries<DagNode>(nodes ?? {}).map(([name, node]) => [
      name,
      Object.freeze({ ...node, after: frozen(node?.after ?? []) }),
    ]),
  );
  return composite({ kind: 'dag', nodes: Object.freeze(copies) });
}
