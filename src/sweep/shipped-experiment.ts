import { existsSync } from "node:fs";
import { normalize, resolve } from "node:path";
import { packageRoot } from "../base/package-root.ts";
import type { Context } from "./run-context.ts";

/** The experiment file as typed; a missing `experiments/...` is replaced by the shipped experiment of that name. */
export function experimentFile(typed: string, { cwd, terminal }: Context): string {
  const shipped = resolve(packageRoot, typed);
  const isShippedName = normalize(typed).startsWith("experiments/");
  if (existsSync(resolve(cwd, typed)) || !isShippedName || !existsSync(shipped)) return typed;
  terminal.info(`${typed} does not exist here; using the experiment shipped with cliprpn: ${shipped}`);
  return shipped;
}
