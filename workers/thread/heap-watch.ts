/**
 * Looks after the memory of a thread from inside: a thread that keeps too much is replaced before it hits the hard limit,
 * which would cost its jobs their run.
 */
import { getHeapStatistics } from 'node:v8';

/** How often the heap is looked at, in milliseconds; a look takes 4 µs. */
const LOOK_MS = 250;
/** Looks in a row above the limit: garbage that has yet to be collected does not stay for a second. */
const LOOKS = 4;

/** The heap of this thread and what its buffers hold outside of it, in MB. */
export function heapMb(): number {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return (heap + buffers) / 2 ** 20;
}

/** @param tooLarge called once, when the heap has stayed above `limitMb` for a second. */
export function watchHeap(limitMb: number, tooLarge: (mb: number) => void, read = heapMb): void {
  let looksAbove = 0;
  const wait = () => void setTimeout(look, LOOK_MS).unref();
  function look(): void {
    const mb = read();
    looksAbove = mb > limitMb ? looksAbove + 1 : 0;
    if (looksAbove < LOOKS) wait();
    else tooLarge(Math.round(mb));
  }
  wait();
}
