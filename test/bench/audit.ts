import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";

const target_s = 20;

/** `cliprpn audit` of a trial on the demo, which is trained before: from starting Node and Python to the report. */
export async function auditRows(folder: string, python: string): Promise<Row[]> {
  const experiment = {
    name: "audited",
    question: "Does the model read the expression?",
    settings: { training: { num_epochs: 1 } },
  };
  writeFileSync(join(folder, "audited.json"), JSON.stringify(experiment));
  const env = { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_PYTHON: python };
  await execa(process.execPath, [cli, "sweep", "audited.json"], { cwd: folder, env });
  const started = performance.now();
  await execa(process.execPath, [cli, "audit", "audited"], { cwd: folder, env });
  const duration_s = (performance.now() - started) / 1000;
  const result = `${duration_s.toFixed(1)} s`;
  return [
    {
      what: "`audit` of a trial on the demo's val, with Python's start",
      ours: result,
      ...{ baseline: "", result, target: `<= ${target_s} s`, met: duration_s <= target_s },
    },
  ];
}
