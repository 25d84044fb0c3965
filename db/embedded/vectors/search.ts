/**
 * Exact cosine search. Every vector has length 1, so the dot product is the score.
 */
import { compareIds, type Point } from './point.ts';
import { dots, type VectorRows } from './rows.ts';

export interface Hit {
  point: Point;
  score: number;
}

/** Scales a vector to length 1, in single precision; a zero vector stays zero. */
export function normalise(numbers: ArrayLike<number>): Float32Array {
  const vector = Float32Array.from(numbers);
  const length = Math.sqrt(dots(vector, 1, vector)[0]!);
  return length === 0 ? vector : vector.map((value) => value / length);
}

export type Score = (array: Float32Array, count: number) => Float64Array;

/**
 * Returns the `k` best points that pass, best first and equal scores by id. A heap of `k` keeps the worst on top, so most
 * points cost one score and one comparison; `passes` runs only for points that would enter the heap.
 */
export function topK(
  { blocks }: VectorRows<Point>,
  passes: (point: Point) => boolean,
  score: Score,
  k: number,
): Hit[] {
  const heap: Hit[] = [];
  if (k === 0) return heap;
  for (const { array, owners } of blocks) {
    for (const [slot, value] of score(array, owners.length).entries()) {
      const isFull = heap.length >= k;
      if (isFull && value < heap[0]!.score) continue;
      const point = owners[slot];
      if (point === undefined) continue;
      const hit = { point, score: value };
      if ((isFull && compareHits(hit, heap[0]!) >= 0) || !passes(point)) continue;
      if (isFull) {
        heap[0] = hit;
        siftDown(heap);
      } else {
        heap.push(hit);
        siftUp(heap);
      }
    }
  }
  return heap.sort(compareHits);
}

function compareHits(a: Hit, b: Hit): number {
  return b.score - a.score || compareIds(a.point.id, b.point.id);
}

function siftUp(heap: Hit[]): void {
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (compareHits(heap[child]!, heap[parent]!) <= 0) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function siftDown(heap: Hit[]): void {
  let parent = 0;
  for (;;) {
    let worst = parent;
    for (const child of [2 * parent + 1, 2 * parent + 2]) {
      if (child < heap.length && compareHits(heap[child]!, heap[worst]!) > 0) worst = child;
    }
    if (worst === parent) return;
    swap(heap, parent, worst);
    parent = worst;
  }
}

function swap(heap: Hit[], a: number, b: number): void {
  [heap[a], heap[b]] = [heap[b]!, heap[a]!];
}
