import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { CliprpnError } from "../contract/errors.ts";
import { describeUnreadable, isFolder } from "../experiment/input-files.ts";
import { type FoundModel, findModel } from "../store/find-model.ts";
import { findSweep } from "../store/find-sweep.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { currentCode } from "../sweep/locate-trial.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { Report, RequestedRun } from "./request.ts";

/** What a run of a model is. */
export type FoundRun =
  | { kind: "file"; path: string }
  | { kind: "trial"; model: Extract<FoundModel, { kind: "trial" }> }
  | { kind: "sweep"; sweep: SweepStore; setting: string | undefined };

/**
 * Finds a file, a trial or a sweep. A file that exists is meant before a trial or a sweep of its name.
 *
 * @param path of the text, absolute.
 * @returns undefined if there is none; the problem is reported.
 */
export function findRun(
  { kind, what }: RequestedRun,
  path: string,
  run: RunContext,
  report: Report,
): FoundRun | undefined {
  const problems: string[] = [];
  const tried = <T>(find: () => T): T | undefined => {
    try {
      return find();
    } catch (error) {
      if (!(error instanceof CliprpnError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  if (kind === "file" || (kind === "any" && isAnswerFile(path))) {
    const unreadable = describeUnreadable(path);
    if (unreadable === undefined) return { kind: "file", path };
    report(what, `expected a file of answers, found ${unreadable}.${nearFile(path)}`);
    return undefined;
  }
  const trial = kind === "sweep" ? undefined : tried(() => findTrialModel(what.value, run));
  if (trial !== undefined) return { kind: "trial", model: trial };
  const sweep = kind === "trial" ? undefined : tried(() => findSweepSetting(what.value, run));
  if (sweep !== undefined) return sweep;
  const [first = ""] = problems;
  report(what, kind === "any" ? nothingFound(what.value, path, run.runsDir) : first);
  return undefined;
}

function nothingFound(name: string, path: string, runsDir: string): string {
  const expected = "expected a file of answers, a trial or a sweep, found";
  return existsSync(path)
    ? `${expected} ${describeUnreadable(path) ?? `a model, ${path}`}`
    : `${expected} no file ${path}, and no trial or sweep ${name} in ${runsDir}.${nearFile(path)}`;
}

/** True for a file that may have answers: not a model, and not in the folder of a trial. */
function isAnswerFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile() && extname(path) !== ".safetensors";
}

function findTrialModel(name: string, run: RunContext): Extract<FoundModel, { kind: "trial" }> {
  const model = findModel(name, run, currentCode);
  if (model.kind === "trial") return model;
  throw new CliprpnError(
    "bad_input",
    `expected a trial, or a file of answers, found a model outside of a trial, ${model.file}; \`cliprpn evaluate\` evaluates it`,
  );
}

/** A sweep, or SWEEP:CONFIGURATION. The name of a configuration may have colons too. */
function findSweepSetting(text: string, run: RunContext): Extract<FoundRun, { kind: "sweep" }> {
  for (let at = text.indexOf(":"); at > 0; at = text.indexOf(":", at + 1)) {
    const sweep = findQuietly(text.slice(0, at), run);
    if (sweep !== undefined) return { kind: "sweep", sweep, setting: text.slice(at + 1) };
  }
  return { kind: "sweep", sweep: findSweep(text, run.runsDir, run.cwd), setting: undefined };
}

function findQuietly(name: string, { runsDir, cwd }: RunContext): SweepStore | undefined {
  try {
    return findSweep(name, runsDir, cwd);
  } catch (error) {
    if (error instanceof CliprpnError) return undefined;
    throw error;
  }
}

function nearFile(path: string): string {
  const folder = dirname(path);
  const others = isFolder(folder) ? readdirSync(folder).filter((name) => name !== basename(path)) : [];
  return didYouMean(basename(path), others);
}
