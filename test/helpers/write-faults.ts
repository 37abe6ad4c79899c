import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Thrown in place of a change of the disk by a process that has been killed. */
class Killed extends Error {}

/**
 * Runs `work` as if the process were killed at its n-th change of the disk: that change does not happen (of a write, only half
 * does), and none does after it. Counts the synchronous functions of `node:fs`; nothing is synced, to save time.
 *
 * @param die what happens at that change; by default, an error ends the work.
 * @returns the number of changes if there were fewer than `killAt`, else undefined.
 */
export async function killedAt(
  killAt: number,
  work: () => Promise<unknown>,
  die = (): void => undefined,
): Promise<number | undefined> {
  let changes = 0;
  const restores: (() => void)[] = [];
  const target: object = fs;
  const replace = (name: keyof typeof fs, by: (real: Change) => Change): void => {
    const real: Change = Reflect.get(target, name);
    Reflect.set(target, name, by(real));
    restores.push(() => Reflect.set(target, name, real));
  };
  const guarded =
    (real: Change, atKill: Change = () => undefined): Change =>
    (...args) => {
      changes += 1;
      if (changes < killAt) return real(...args);
      if (changes === killAt) {
        atKill(...args);
        die();
      }
      throw new Killed();
    };
  for (const name of ["renameSync", "linkSync", "mkdirSync", "unlinkSync", "rmSync"] as const)
    replace(name, (real) => guarded(real));
  replace("writeFileSync", (real) =>
    guarded(real, (file, text) => real(file, typeof text === "string" ? text.slice(0, text.length / 2) : "")),
  );
  for (const name of ["fsyncSync", "fdatasyncSync"] as const) replace(name, () => () => undefined);
  syncBuiltinESMExports();
  try {
    await work();
    return changes;
  } catch (error) {
    if (error instanceof Killed) return undefined;
    throw error;
  } finally {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  }
}

type Change = (...args: unknown[]) => unknown;
