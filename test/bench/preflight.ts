/** What `cliprpn preflight` projects for a small sweep, beside what the sweep then takes. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import type { Preflight, ProjectedPart, Timing, TrialOutcome } from "../../src/contract/generated/types.ts";
import type { Row } from "./rows.ts";
import { cli, type Scenes } from "./scenes.ts";

/** With a cache of its own, so that features have to be extracted, as the projection says. */
export async function preflightRows(scenes: Scenes): Promise<Row[]> {
  const folder = join(scenes.folder, "preflight");
  const env = { ...scenes.env, CLIPRPN_CACHE: join(scenes.folder, "preflight-cache") };
  const experiment = join(scenes.folder, "preflight.json");
  const { dataset } = JSON.parse(readFileSync(scenes.experiment, "utf8"));
  writeFileSync(
    experiment,
    JSON.stringify({
      name: "preflight",
      question: "Is the projection right?",
      dataset,
      settings: { training: { num_epochs: 3 } },
      vary: { fusion: ["film", "token_attention"] },
      also: [{ "baseline.detector": "gt_boxes", "baseline.ranking": "crop+blur" }],
      evaluate_on: ["scenes:test"],
      seeds: [0, 1],
    }),
  );
  const runs = ["--runs-dir", join(folder, "runs")];
  const preflight = await execa(
    process.execPath,
    [cli, "preflight", experiment, "--json", "--out", folder, ...runs],
    { env },
  );
  const { projection }: Preflight = JSON.parse(preflight.stdout);
  if (projection === null) throw new Error(`expected a projection, found none: ${preflight.stderr}`);
  const started = performance.now();
  await execa(process.execPath, [cli, "sweep", experiment, ...runs], { env });
  const sweep_ms = performance.now() - started;
  const trials = join(folder, "runs/trials");
  const outcomes = readdirSync(trials).map(
    (id): TrialOutcome => JSON.parse(readFileSync(join(trials, id, "attempts/1/outcome.json"), "utf8")),
  );
  const trained = outcomes.flatMap((outcome) =>
    outcome.state === "completed" && outcome.epochs.length > 0 ? [outcome] : [],
  );
  const of = (...names: ProjectedPart["part"][]): Timing => added(projection, names);
  const { num_trials, num_workers } = projection;
  return [
    row(
      `a sweep of ${num_trials} trials with ${num_workers === 1 ? "1 worker" : `${num_workers} workers`}, from the start of the command to the report`,
      projection.total,
      sweep_ms,
    ),
    row(
      `training, selection and saving of its ${trained.length} trials, one after the other`,
      of("training", "selection", "saving"),
      sum(trained.map(({ durations_ms }) => durations_ms.training)),
    ),
    row(
      "its features",
      of("features"),
      Math.max(...trained.map(({ durations_ms }) => durations_ms.features)),
    ),
  ];
}

function row(what: string, { ms, low_ms, high_ms }: Timing, fact_ms: number): Row {
  return {
    what: `\`preflight\`: ${what}; baseline: what it then took`,
    ours: `${seconds(ms)} (${seconds(low_ms)} to ${seconds(high_ms)})`,
    baseline: seconds(fact_ms),
    result: `${(fact_ms / ms).toFixed(2)} times the projection, ${fact_ms >= low_ms && fact_ms <= high_ms ? "in" : "outside"} its range`,
    target: "0.67 to 1.5 times",
    met: fact_ms >= ms / 1.5 && fact_ms <= 1.5 * ms,
  };
}

function added({ parts }: NonNullable<Preflight["projection"]>, names: readonly string[]): Timing {
  const some = parts.filter(({ part }) => names.includes(part));
  const total = (key: keyof Timing): number => sum(some.map((each) => each[key]));
  return { ms: total("ms"), low_ms: total("low_ms"), high_ms: total("high_ms") };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
