/**
 * Vectors side by side in large arrays: an exact search reads memory in order, and reads a point only when it scores well.
 */

const ROWS_PER_BLOCK = 1024;

export interface Block<Owner> {
  readonly array: Float32Array;
  /** The owner of each vector; undefined where one was removed. */
  readonly owners: (Owner | undefined)[];
}

export interface Row {
  readonly block: Block<unknown>;
  readonly slot: number;
}

export class VectorRows<Owner> {
  readonly size: number;
  readonly blocks: Block<Owner>[] = [];
  readonly #free: { block: Block<Owner>; slot: number }[] = [];

  constructor(size: number) {
    this.size = size;
  }

  /** @param own creates the owner from the position of its vector. */
  add(vector: ArrayLike<number>, own: (row: Row) => Owner): Owner {
    const row = this.#free.pop() ?? this.#next();
    row.block.array.set(vector, row.slot * this.size);
    return (row.block.owners[row.slot] = own(row));
  }

  remove({ block, slot }: Row): void {
    block.owners[slot] = undefined;
    this.#free.push({ block: block as Block<Owner>, slot });
  }

  read({ block, slot }: Row): Float32Array {
    return block.array.slice(slot * this.size, (slot + 1) * this.size);
  }

  #next(): { block: Block<Owner>; slot: number } {
    let block = this.blocks.at(-1);
    if (block === undefined || block.owners.length === ROWS_PER_BLOCK) {
      block = { array: new Float32Array(ROWS_PER_BLOCK * this.size), owners: [] };
      this.blocks.push(block);
    }
    return { block, slot: block.owners.length };
  }
}

/**
 * Multiplies the first `count` vectors of an array with another one. One call per vector would double the cost; four
 * independent sums let the processor overlap the additions.
 */
export function dots(array: Float32Array, count: number, other: Float32Array): Float64Array {
  const products = new Float64Array(count);
  const whole = other.length - (other.length % 4);
  let at = 0;
  for (let row = 0; row < count; row++) {
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    for (let i = 0; i < whole; i += 4, at += 4) {
      first += array[at]! * other[i]!;
      second += array[at + 1]! * other[i + 1]!;
      third += array[at + 2]! * other[i + 2]!;
      fourth += array[at + 3]! * other[i + 3]!;
    }
    for (let i = whole; i < other.length; i++, at++) first += array[at]! * other[i]!;
    products[row] = first + second + third + fourth;
  }
  return products;
}
