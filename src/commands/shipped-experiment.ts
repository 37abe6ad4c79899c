import { existsSync } from "node:fs";
import { normalize, resolve } from "node:path";
import { packageRoot } from "../base/package-root.ts";
import type { Context } from "./command.ts";

/** The file as typed; `experiments/fusion.json` and its like, where there is none of that name, is the one that ships. */
export function experimentFile(typed: string, { cwd, terminal }: Context): string {
  const shipped = resolve(packageRoot, typed);
  const isOurs = normalize(typed).startsWith("experiments/");
  if (existsSync(resolve(cwd, typed)) || !isOurs || !existsSync(shipped)) return typed;
  terminal.info(`${typed} is not here, so the one that ships with cliprpn is used: ${shipped}`);
  return shipped;
}
