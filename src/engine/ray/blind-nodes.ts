/** Nodes that do not see the shared folder. A slow disk may show it later: they are tried again, more and more rarely. */
export class BlindNodes {
  readonly #nodes = new Map<string, { numTries: number; avoidedUntil: number }>();

  /** An actor on a node did not see the folder. @param now in ms. */
  add(id: string, now: number): void {
    const before = this.#nodes.get(id);
    if (before !== undefined && now < before.avoidedUntil) return; // Another actor of the same try.
    const numTries = (before?.numTries ?? 0) + 1;
    this.#nodes.set(id, {
      numTries,
      avoidedUntil: now + Math.min(maxAvoidMs, avoidMs * 2 ** (numTries - 1)),
    });
  }

  /** A node sees the folder. */
  delete(id: string): void {
    this.#nodes.delete(id);
  }

  ids(): string[] {
    return [...this.#nodes.keys()];
  }

  /** Ids of those that are not tried now; after how many tries, at least. */
  avoided(now: number, minTries = 1): string[] {
    return [...this.#nodes].flatMap(([id, { numTries, avoidedUntil }]) =>
      numTries >= minTries && now < avoidedUntil ? [id] : [],
    );
  }
}

const avoidMs = 30_000;
const maxAvoidMs = 600_000;
