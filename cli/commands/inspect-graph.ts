/** Shows a graph: its state and its nodes, in order. */
import { countTasks, findGraph, listNodes } from '../../db/tasks/graphs/read.ts';
import { idsOf, type Input } from '../command.ts';
import type { QueueStores } from '../stores.ts';
import { show, table } from '../table.ts';

/** Most nodes to show. */
const MOST_NODES = 1000;

/** @returns 1 if there is no such graph. */
export async function showGraph({ db }: QueueStores, input: Input): Promise<number> {
  const [id = ''] = idsOf(input);
  const graph = await findGraph(db(), id);
  if (graph === undefined) {
    show(input.has('json'), { id, graph: null, nodes: [] }, () => ['There is no such graph.']);
    return 1;
  }
  const [{ counts }, nodes] = await Promise.all([
    countTasks(db(), id),
    listNodes(db(), id, MOST_NODES),
  ]);
  show(input.has('json'), { id, graph: { ...graph, counts }, nodes }, () => [
    `${graph.status}, ${sayCounts(counts)}`,
    ...(graph.cause === null ? [] : [`failed by ${graph.cause}: ${graph.error_code}`]),
    ...table(
      ['NODE', 'TASK', 'STATE', 'THEN', 'ID'],
      nodes.map((node) => [
        node.node ?? 'on error',
        node.name,
        node.state,
        node.next.length === 0 ? '-' : node.next.join(' '),
        node.id ?? '-',
      ]),
    ),
    ...(nodes.length === MOST_NODES ? [`Only the first ${MOST_NODES} nodes are shown.`] : []),
  ]);
  return 0;
}

function sayCounts(counts: Partial<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([status, tasks]) => `${tasks} ${status}`)
    .join(', ');
}
