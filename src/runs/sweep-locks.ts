import { type LockOwner, OwnerLock, readOwner, tryOwnerLock } from "../base/owner-lock.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { allSweeps, sweepNames } from "../store/sweeps.ts";

/** Who works on which sweep now. */
export function runningSweeps(runsDir: string): Map<string, LockOwner> {
  return new Map(
    allSweeps(runsDir).flatMap((sweep): [string, LockOwner][] => {
      const owner = readOwner(sweep.lockFolder);
      return owner === undefined ? [] : [[sweep.name, owner]];
    }),
  );
}

/** The locks of some sweeps of a runs folder. */
export class SweepLocks {
  readonly #runsDir: string;
  readonly #command: string;
  readonly #held = new Map<string, OwnerLock>();
  readonly #owners = new Map<string, LockOwner>();

  constructor(runsDir: string, command: string) {
    this.#runsDir = runsDir;
    this.#command = command;
  }

  /** Names of all sweeps that exist now. */
  allNames(): string[] {
    return sweepNames(this.#runsDir);
  }

  /** Takes the locks that no other process holds. */
  async take(names: readonly string[]): Promise<void> {
    for (const name of new Set(names)) {
      const { lockFolder } = new SweepStore(this.#runsDir, name);
      const lock = await tryOwnerLock(lockFolder, { command: this.#command, onLost: () => undefined });
      if (lock instanceof OwnerLock) this.#held.set(name, lock);
      else this.#owners.set(name, lock);
    }
  }

  /** The first of the sweeps whose lock this process does not hold; also one that was created since. */
  heldByOthers(names: readonly string[]): { sweep: string; owner: LockOwner } | undefined {
    const sweep = names.find((name) => this.#held.get(name)?.lost !== false);
    if (sweep === undefined) return undefined;
    const owner =
      this.#owners.get(sweep) ?? readOwner(new SweepStore(this.#runsDir, sweep).lockFolder) ?? "unknown";
    return { sweep, owner };
  }

  async release(): Promise<void> {
    await Promise.all([...this.#held.values()].map((lock) => lock.release()));
    this.#held.clear();
  }
}
