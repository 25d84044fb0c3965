/** The plans of random compositions: run node by node, each gives what its composition means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chain } from '../../../../jobs/framework/canvas/combinators.ts';
import { planOf } from '../../../../jobs/framework/canvas/compile.ts';
import type { AnyPart, Composition } from '../../../../jobs/framework/canvas/composition.ts';
import type { Junction, Plan, PlannedTask } from '../../../../jobs/framework/canvas/plan.ts';
import type { Signature, Step } from '../../../../jobs/framework/signature.ts';
import {
  linksOf,
  meaningOf,
  outputOf,
  randomPart,
  startsWithStep,
  tasksOf,
} from './random-parts.ts';
import { source } from './tasks.ts';

const RUNS = { numRuns: 1000 };

type Node = PlannedTask | Junction;

const nextOf = ({ next }: Node): number[] => [next ?? []].flat();
const first = source.s({ n: -1 });
const afterFirst = (part: AnyPart): Composition => chain(first, part as Composition);

/** How many nodes lead to each. */
function countBefore({ nodes }: Plan): number[] {
  const counts = nodes.map(() => 0);
  for (const next of nodes.flatMap(nextOf)) counts[next]!++;
  return counts;
}

/** Starts each node once all that lead to it have ended. @returns the outputs, in the order of their ends. */
function runPlan(plan: Plan): Map<number, unknown> {
  const waitsFor = countBefore(plan);
  const ready = plan.nodes.filter(({ node }) => waitsFor[node] === 0);
  const outputs = new Map<number, unknown>();
  for (const node of ready) {
    outputs.set(node.node, node.kind === 'task' ? taskOutput(node) : junctionOutput(node));
    for (const next of nextOf(node)) if (--waitsFor[next]! === 0) ready.push(plan.nodes[next]!);
  }
  return outputs;

  function read(node: number): unknown {
    assert.ok(outputs.has(node), `node ${node} has not ended`);
    return outputs.get(node);
  }
  function taskOutput({ signature, previous }: PlannedTask): unknown {
    assert.equal('takesPrevious' in signature, previous !== undefined);
    return outputOf(signature, previous === undefined ? undefined : read(previous));
  }
  function junctionOutput({ inputs, names, passes }: Junction): unknown {
    const values = inputs.map(read);
    if (passes) return values[0];
    if (names === undefined) return values;
    return Object.fromEntries(names.map((name, index) => [name, values[index]]));
  }
}

test('a plan gives what its composition means, and its output ends last', () => {
  const check = (part: AnyPart): void => {
    const plan = planOf(afterFirst(part));
    const outputs = runPlan(plan);
    assert.equal(outputs.size, plan.nodes.length);
    assert.equal([...outputs.keys()].at(-1), plan.output);
    // Their text, as the order of names counts.
    const meaning = JSON.stringify(meaningOf(part, first.payload));
    assert.equal(JSON.stringify(outputs.get(plan.output)), meaning);
  };
  fc.assert(fc.property(randomPart, check), RUNS);
});

test('without anything before it, a composition has a plan unless it starts with a step', () => {
  const check = (part: AnyPart): void => {
    if (startsWithStep(part)) {
      assert.throws(() => planOf(part as Composition), { code: 'GRAPH_INVALID' });
    } else {
      const plan = planOf(part as Composition);
      assert.deepEqual(runPlan(plan).get(plan.output), meaningOf(part, undefined));
    }
  };
  fc.assert(fc.property(randomPart, check), RUNS);
});

test('nodes are numbered in order; all but the first follow another, and all but the output lead on', () => {
  const check = (part: AnyPart): void => {
    const plan = planOf(afterFirst(part));
    const before = countBefore(plan);
    plan.nodes.forEach((node, index) => {
      assert.equal(node.node, index);
      assert.equal(before[index] === 0, index === 0);
      assert.equal(nextOf(node).length === 0, index === plan.output);
      assert.ok(nextOf(node).every((next) => next > index));
      assert.equal(new Set(nextOf(node)).size, nextOf(node).length);
      if (node.kind === 'task') assert.ok(before[index]! <= 1);
    });
  };
  fc.assert(fc.property(randomPart, check), RUNS);
});

test('a fork follows one task and leads to several nodes', () => {
  const check = (part: AnyPart): void => {
    const { nodes } = planOf(afterFirst(part));
    for (const node of nodes) {
      if (node.kind !== 'junction' || !node.passes) continue;
      const [before, ...others] = nodes.filter((each) => nextOf(each).includes(node.node));
      assert.deepEqual([before?.kind, others], ['task', []]);
      assert.deepEqual(node.inputs, [before?.node]);
      assert.ok(node.next.length > 1);
    }
  };
  fc.assert(fc.property(randomPart, check), RUNS);
});

test('a plan has each task once, and a link is for all tasks of its part and no other', () => {
  const signatures = (nodes: readonly Node[]): (Signature | Step)[] =>
    nodes.flatMap((node) => (node.kind === 'task' ? [node.signature] : []));
  const inOrder = (tasks: readonly (Signature | Step)[]): string[] =>
    tasks.map(({ payload }) => JSON.stringify(payload)).sort();
  const check = (part: AnyPart): void => {
    const { nodes, links } = planOf(afterFirst(part));
    assert.deepEqual(inOrder(signatures(nodes)), inOrder([first, ...tasksOf(part)]));
    const linked = links.map(({ signature, first: from, last }) => [
      signature.payload,
      inOrder(signatures(nodes.slice(from, last + 1))),
    ]);
    const expected = linksOf(part).map(([link, tasks]) => [link.payload, inOrder(tasks)]);
    const sorted = (pairs: unknown[][]): string[] =>
      pairs.map((pair) => JSON.stringify(pair)).sort();
    assert.deepEqual(sorted(linked), sorted(expected));
  };
  fc.assert(fc.property(randomPart, check), RUNS);
});
