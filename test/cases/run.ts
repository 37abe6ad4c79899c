/**
 * `npm run cases`: runs every case on the inputs in `../shared/cases` and prints a table: command, outcome before and now.
 *
 *     npm run cases -- 03 22           only cases whose names start so
 *     npm run cases -- roads           only the real images, brought in by many roads
 *     npm run cases -- --record FILE   with --cli FILE: writes the outcomes of another version, for the column "before"
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import type { PreparedDataset } from "../../src/contract/generated/types.ts";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { packageRoot } from "../../src/package-root.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { type Case, cases } from "./cases.ts";
import { compareRoads } from "./roads.ts";

interface Outcome {
  code: number | undefined;
  says: string;
}

const shared = resolve(packageRoot, "..", "shared");
const folders = { cases: join(shared, "cases"), photos: join(shared, "data/refcocog-photos/images") };
const { values, positionals } = parseArgs({
  options: { cli: { type: "string" }, record: { type: "string" } },
  allowPositionals: true,
});
const cli = values.cli ?? join(packageRoot, "bin/cliprpn.js");

if (Object.values(folders).every(existsSync)) process.exitCode = await main();
else
  process.stdout.write(`skipped: ${folders.cases} does not exist; the inputs are not part of the project\n`);

async function main(): Promise<number> {
  const { python } = await ensureEnvironment({ name: "test", terminal: makeTerminal(process) });
  const chosen = cases.filter(
    ({ name }) => positionals.length === 0 || positionals.some((start) => name.startsWith(start)),
  );
  const before = readBefore();
  const outcomes: Record<string, Outcome> = {};
  let num_wrong = 0;
  process.stdout.write("| case | command | before | now | right |\n|-|-|-|-|-|\n");
  for (const entry of chosen) {
    const key = commandOf(entry);
    const { outcome, output } = await run(entry, python);
    outcomes[key] = outcome;
    const right = outcome.code === entry.code && entry.says.test(output);
    num_wrong += right ? 0 : 1;
    const cells = [
      entry.name,
      `\`${key}\``,
      describe(before[key]),
      describe(outcome),
      right ? "yes" : "**no**",
    ];
    process.stdout.write(`| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`);
  }
  if (values.record !== undefined) writeFileSync(values.record, `${JSON.stringify(outcomes, null, 2)}\n`);
  process.stdout.write(`\n${chosen.length - num_wrong} of ${chosen.length} cases are right\n`);
  const withRoads =
    values.record === undefined && (positionals.length === 0 || positionals.includes("roads"));
  const num_lost = withRoads ? await travelRoads(python) : 0;
  return num_wrong + num_lost === 0 ? 0 : 1;
}

/** Runs a case in an empty folder. */
async function run(entry: Case, python: string): Promise<{ outcome: Outcome; output: string }> {
  const cwd = mkdtempSync(join(tmpdir(), "cliprpn-case-"));
  try {
    if (entry.first !== undefined) await call(entry.first, cwd, python);
    const { exitCode, all } = await call(entry.command, cwd, python);
    return { outcome: { code: exitCode, says: lastLine(all) }, output: `${all}\n${total(cwd)}` };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** The number of expressions of the dataset that a case has prepared. */
function total(cwd: string): string {
  const file = join(cwd, "data/mine/dataset.json");
  if (!existsSync(file)) return "";
  const { splits }: Pick<PreparedDataset, "splits"> = JSON.parse(readFileSync(file, "utf8"));
  return `total: ${splits.reduce((sum, { num_sentences }) => sum + num_sentences, 0)} expressions`;
}

async function travelRoads(python: string): Promise<number> {
  const cwd = mkdtempSync(join(tmpdir(), "cliprpn-roads-"));
  try {
    return await compareRoads(join(shared, "data/refcocog-photos"), cwd, python, (args) =>
      call(args, cwd, python),
    );
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function call(args: string[], cwd: string, python: string) {
  return execa("node", [cli, ...args.map(fill), "--python", python], {
    ...{ cwd, all: true, reject: false, stdin: "ignore" },
  });
}

function fill(argument: string): string {
  return argument.replace("{cases}", folders.cases).replace("{photos}", folders.photos);
}

function commandOf({ command }: Case): string {
  return command.join(" ").replaceAll("{cases}/", "").replaceAll("{photos}", "photos");
}

/** The most telling line of an output: the first error, else the last line. */
function lastLine(output: string): string {
  const lines = output
    .replaceAll(folders.cases, "cases")
    .replaceAll(folders.photos, "photos")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const error = lines.find((line) => /error|expected|failed/i.test(line));
  return (error ?? lines.at(-1) ?? "").trim().slice(0, 160);
}

function describe(outcome: Outcome | undefined): string {
  return outcome === undefined ? "" : `exit ${outcome.code}: ${outcome.says}`;
}

function readBefore(): Record<string, Outcome> {
  const file = join(packageRoot, "test/cases/before.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}
