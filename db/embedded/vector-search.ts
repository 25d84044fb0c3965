/**
 * Exact cosine search: every vector has length 1, so that the dot product is the score.
 */
import { compareIds, type Point } from './vector-point.ts';
import { dotRow } from './vector-rows.ts';

export interface Hit {
  point: Point;
  score: number;
}

/** The vector in single precision and of length 1; a zero vector stays zero. */
export function normalise(numbers: ArrayLike<number>): Float32Array {
  const vector = Float32Array.from(numbers);
  const length = Math.sqrt(dotRow({ array: vector, from: 0 }, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}

/**
 * The `k` best points that pass, best first, equal scores by id. Keeps a heap of `k` with the worst on top, so that most of
 * `n` points cost one score and one comparison; only what would be among the best is asked whether it passes.
 */
export function topK(
  points: Iterable<Point>,
  passes: (point: Point) => boolean,
  score: (point: Point) => number,
  k: number,
): Hit[] {
  const heap: Hit[] = [];
  for (const point of points) {
    const hit = { point, score: score(point) };
    const isFull = heap.length >= k;
    if (isFull && (k === 0 || compareHits(hit, heap[0]!) >= 0)) continue;
    if (!passes(point)) continue;
    if (isFull) {
      heap[0] = hit;
      siftDown(heap);
    } else {
      heap.push(hit);
      siftUp(heap);
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
