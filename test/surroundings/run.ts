/**
 * `npm run test:surroundings [-- PATTERN OF NAMES]`: runs `doctor` and a small `prepare`, each with a real worker, in every
 * surrounding of the table, with the environment of the tests.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { packageRoot } from "../../src/package-root.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { writeRows } from "./places.ts";
import { type Ground, type Start, type Surrounding, surroundings } from "./table.ts";

const python =
  process.env.CLIPRPN_TEST_PYTHON ??
  (await ensureEnvironment({ name: "test", terminal: makeTerminal(process) })).python;
const wanted = new RegExp(process.argv.slice(2).join(" "));
const expected = { dataset: "" };
const results: string[] = [];
for (const surrounding of surroundings.filter(({ name }) => name === "" || wanted.test(name))) {
  const result = check(surrounding);
  process.stdout.write(`${result.padEnd(8)} ${surrounding.name || "nothing special"}\n`);
  results.push(result.split(":")[0] ?? "");
}
const count = (state: string): number => results.filter((result) => result === state).length;
process.stdout.write(`${count("passed")} passed, ${count("FAILED")} failed, ${count("skipped")} skipped\n`);
process.exitCode = count("FAILED") === 0 ? 0 : 1;

/** passed, or FAILED or skipped with the reason. */
function check(surrounding: Surrounding): string {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-surrounding-"));
  const ground: Ground = { folder, undo: [] };
  try {
    let start: Start;
    try {
      start = surrounding.make(ground);
    } catch (error) {
      return `skipped: not possible on this machine (${String(error).split("\n")[0]})`;
    }
    const problems = [
      ...checkDoctor(surrounding, start, ground),
      ...checkPrepare(surrounding, start, ground),
    ];
    return problems.length === 0 ? "passed" : `FAILED: ${problems.join("; ")}`;
  } finally {
    for (const undo of ground.undo.reverse()) undo();
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkDoctor({ advice }: Surrounding, start: Start, ground: Ground): string[] {
  const { code, out, err } = run(["doctor", "--json"], start, ground);
  if (!out.startsWith("{")) return [`doctor exited with ${code}: ${err}`];
  const rows: { name: string; state: string; found: string; how_to_fix: string }[] = JSON.parse(out).rows;
  const problems = rows.filter(({ state }) => state !== "ok");
  const advices = problems.map(({ how_to_fix }) => how_to_fix);
  if (advices.some((text) => /\brm\b/.test(text))) return [`doctor advises to delete what works: ${advices}`];
  if (advice !== undefined)
    return advices.some((text) => advice.test(text)) ? [] : [`doctor advises ${advices}, expected ${advice}`];
  if (!rows.some(({ name }) => name === "worker")) return ["doctor started no worker"];
  return problems.map(({ name, found, how_to_fix }) => `doctor: ${name}: ${found} -> ${how_to_fix}`);
}

function checkPrepare({ refusal }: Surrounding, start: Start, ground: Ground): string[] {
  const rows = writeRows(ground.folder);
  const args = ["prepare", "mine", "--from", rows, "--box-format", "xywh", "--without-images"];
  const { code, err } = run(args, start, ground);
  if (/^\s+at .*:\d+:\d+|Traceback|internal error/m.test(err)) return [`prepare shows a bug: ${err}`];
  if (refusal !== undefined)
    return code === refusal.code && refusal.message.test(err) ? [] : [`prepare exited with ${code}: ${err}`];
  if (code !== 0) return [`prepare exited with ${code}: ${err}`];
  const { id, splits, dropped, warnings } = JSON.parse(
    readFileSync(join(start.cwd ?? ground.folder, "data/mine/dataset.json"), "utf8"),
  );
  const dataset = JSON.stringify({ id, splits, dropped, warnings });
  expected.dataset ||= dataset;
  return dataset === expected.dataset ? [] : [`prepare made ${dataset}, expected ${expected.dataset}`];
}

function run(
  args: string[],
  { env, cwd, root = packageRoot }: Start,
  { folder }: Ground,
): { code: number | null; out: string; err: string } {
  const { PYTHONPATH, PYTHONDONTWRITEBYTECODE, CLIPRPN_TEST_PYTHON, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "bin/cliprpn.js"), ...args, "--python", python],
    {
      cwd: cwd ?? folder,
      env: { ...rest, CLIPRPN_CACHE: join(folder, "cache"), ...env },
      encoding: "utf8",
    },
  );
  return { code: status, out: stdout, err: stderr };
}
