/** What happens at some time, earliest first; at the same time, in the order in which it was added. */
export class EventQueue<Item> {
  /** A binary heap. */
  readonly #heap: { at: number; order: number; item: Item }[] = [];
  #numAdded = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Time of the earliest item; infinite without one. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(at: number, item: Item): void {
    this.#numAdded += 1;
    this.#heap.push({ at, order: this.#numAdded, item });
    for (let child = this.#heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  take(): Item | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first?.item;
    this.#heap[0] = last;
    for (let parent = 0; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(child, parent)) return first.item;
      this.#swap(child, parent);
      parent = child;
    }
  }

  #isBefore(one: number, two: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[two]];
    if (a === undefined || b === undefined) return a !== undefined;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(one: number, two: number): void {
    const [a, b] = [this.#heap[one], this.#heap[two]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[two] = a;
  }
}
