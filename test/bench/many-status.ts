/** What `status` costs while a sweep of many trials runs. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import type { JournalEntry, SweepStatus, TrialSpec } from "../../src/contract/generated/types.ts";
import { toJson } from "../../src/store/files.ts";
import type { SweepStore } from "../../src/store/sweep-store.ts";
import { addSweep, currentCodeOf } from "../helpers/made-runs.ts";
import { madeView } from "../helpers/made-view.ts";
import { madeSpec } from "../helpers/report-input.ts";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";
import { median } from "./statistics.ts";

const numRounds = 5;
const numTrials = 10_000;
const numSettings = numTrials / 10;

export async function statusRow(folder: string): Promise<Row> {
  const sweep = madeSweep(join(folder, "status"));
  const lock = await sweep.lock({ command: "cliprpn sweep many.json", onLost: () => undefined });
  const files = ["trials.jsonl", "journal.jsonl"].map((name) => join(sweep.folder, name));
  const bare_s: number[] = [];
  const status_s: number[] = [];
  try {
    for (let round = 0; round < numRounds; round += 1) {
      bare_s.push(bareSeconds(files));
      status_s.push(await statusSeconds(sweep.runsDir));
    }
  } finally {
    await lock.release();
  }
  const [bare, status] = [median(bare_s), median(status_s)];
  return {
    what: "`status` of a running sweep with 10,000 trials, all of them ended: the whole command; baseline: only reading and parsing its trials and journal",
    ours: `${status.toFixed(2)} s`,
    baseline: `${bare.toFixed(2)} s`,
    result: `${status.toFixed(2)} s`,
    target: "<= 1 s",
    met: status <= 1,
  };
}

/** A sweep whose process has written status.json and the journal of all trials. */
function madeSweep(runsDir: string): SweepStore {
  const specs = Array.from({ length: numTrials }, (_, index) =>
    madeSpec(`setting ${index % numSettings}`, Math.floor(index / numSettings)),
  );
  const sweep = addSweep(runsDir, "many", specs);
  const entries = specs.flatMap(journalEntries);
  writeFileSync(
    join(sweep.folder, "journal.jsonl"),
    entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
  );
  writeFileSync(sweep.statusFile, toJson(runningStatus()));
  return sweep;
}

function journalEntries(spec: TrialSpec): JournalEntry[] {
  const of = { schema_version: 1, at: "2026-01-01T00:00:00Z", trial_id: spec.trial_id, attempt: 1 } as const;
  return [
    { type: "trial_started", slot: 0, ...of },
    {
      type: "trial_finished",
      sources_sha256: currentCodeOf(spec),
      state: "completed",
      duration_ms: 1000,
      error: null,
      ...of,
    },
  ];
}

function runningStatus(): SweepStatus {
  const labels = Array.from({ length: 50 }, (_, index) => `setting ${index}`);
  const { status } = madeView({ running: labels.slice(0, 8), completed: labels });
  return { ...status, num_trials: numTrials };
}

function bareSeconds(files: readonly string[]): number {
  const started = performance.now();
  for (const file of files)
    for (const line of readFileSync(file, "utf8").split("\n")) if (line !== "") JSON.parse(line);
  return (performance.now() - started) / 1000;
}

async function statusSeconds(runsDir: string): Promise<number> {
  const started = performance.now();
  const { stdout } = await execa(process.execPath, [cli, "status", "--runs-dir", runsDir]);
  const duration_s = (performance.now() - started) / 1000;
  if (!/done[\s\S]*^slot {2}trial[\s\S]*^completed, on val[\s\S]*setting 0/m.test(stdout))
    throw new Error(`expected slots and a leaderboard, found ${stdout}`);
  return duration_s;
}
