/** Reports a heap that stays too large, so that the thread is replaced before the hard limit ends it with its jobs. */
import { getHeapStatistics } from 'node:v8';

/** Interval of heap checks, in milliseconds; a check takes 4 µs. */
const LOOK_MS = 250;
/** Consecutive checks above the limit: uncollected garbage does not stay for a second. */
const LOOKS = 4;

/** Heap and external buffers of this thread, in MB. */
export function heapMb(): number {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return (heap + buffers) / 2 ** 20;
}

/** @param tooLarge called once the heap has stayed above `limitMb` for a second. */
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
