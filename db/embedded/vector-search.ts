/**
 * Exact cosine search: every vector has length 1, so that the dot product is the score.
 */
import { compareIds, type Point } from './vector-point.ts';

export interface Hit {
  point: Point;
  score: number;
}

/** The vector in single precision and of length 1; a zero vector stays zero. */
export function normalise(numbers: ArrayLike<number>): Float32Array {
  const vector = Float32Array.from(numbers);
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/**
 * The `k` best points, best first, equal scores by id. Keeps a heap of `k` with the worst on top, so that most of `n`
 * points cost one comparison: O(n log k) at worst instead of a sort of all.
 */
export function topK(points: Iterable<Point>, score: (point: Point) => number, k: number): Hit[] {
  const heap: Hit[] = [];
  for (const point of points) {
    const hit = { point, score: score(point) };
    if (heap.length < k) {
      heap.push(hit);
      siftUp(heap);
    } else if (k > 0 && compareHits(hit, heap[0]!) < 0) {
      heap[0] = hit;
      siftDown(heap);
    }
  }
  return heap.sort(compareHits);
}

/** Negative when `a` ranks before `b`. */
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
