import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  ErrorCode,
  JournalEntry,
  PreparedPart,
  TrialEvent,
  TrialSpec,
} from "../../src/contract/generated/types.ts";
import type { Launcher, Preparation } from "../../src/engine/launcher.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { preparationParts } from "../../src/sweep/prepare/preparation-parts.ts";
import { PreparationProgress } from "../../src/sweep/prepare/preparation-progress.ts";
import { prepareFeatures } from "../../src/sweep/prepare/prepare-features.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeBaselineSpec, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const clipRpn = madeSpec("film", 0);

function withViews(views: number): ClipRpnSpec {
  const { settings } = clipRpn;
  return { ...clipRpn, settings: { ...settings, training: { ...settings.training, views } } };
}

function baseline(changes: Partial<BaselineSpec["baseline"]>, label = "YOLO"): BaselineSpec {
  const spec = madeBaselineSpec(label, { best_box: 0.5 });
  return { ...spec, baseline: { ...spec.baseline, ...changes } };
}

const wholeImage = { detector: { kind: "whole_image" } } as const;

test.each<[what: string, trials: TrialSpec[], made: string[]]>([
  ["nothing to run", [], []],
  ["features once for all fusions and seeds", [clipRpn, madeSpec("token", 1)], ["features film"]],
  ["images of another size", [clipRpn, resized(448)], ["features film", "features large"]],
  ["one baseline, which makes its own", [baseline({})], []],
  [
    "two rankings of the same boxes",
    [baseline({ ranking: "crop" }, "crop"), baseline({ ranking: "blur" }, "blur")],
    ["detections crop"],
  ],
  [
    "the same ranking twice, which needs the boxes, too",
    [baseline({ category_prior: false }, "plain"), baseline({ category_prior: true }, "prior")],
    ["embeddings plain"],
  ],
  [
    "boxes that are not computed",
    [baseline({ ...wholeImage, ranking: "crop" }), baseline({ ...wholeImage, ranking: "blur" })],
    [],
  ],
  ["other boxes", [baseline({ max_boxes: 5 }), baseline({ max_boxes: 6 })], []],
])("what is made before trials: %s", (_, trials, made) => {
  const parts = preparationParts(trials);
  expect(parts.map(({ make, trial }) => `${make} ${trial.label}`)).toEqual(made);
});

function resized(image_size_px: number): ClipRpnSpec {
  return { ...clipRpn, label: "large", settings: { ...clipRpn.settings, image_size_px } };
}

test("the trial with the most views stands for all", () => {
  const [part] = preparationParts([withViews(1), withViews(3), withViews(2)]);
  expect(part?.trial).toEqual(withViews(3));
});

/** @returns undefined if its worker is taken away. */
type Play = (preparation: Preparation, onEvent: (event: TrialEvent) => void) => PreparedPart[] | undefined;

/** Prepares for trials with a launcher that does as `plays` say, one for each attempt. */
function prepare(
  plays: Play[],
  {
    trials = [clipRpn] as TrialSpec[],
    signal = new AbortController().signal,
    maxRetries = 2,
    left = undefined as number | undefined,
    store = new SweepStore(tempFolder(), "made"),
  } = {},
) {
  mkdirSync(store.folder, { recursive: true });
  const entries: Omit<JournalEntry, "schema_version" | "at">[] = [];
  const asked: Preparation[] = [];
  const prepareNow: Launcher["prepare"] = async (preparation, { onStarted, onEvent }) => {
    asked.push(preparation);
    onStarted();
    try {
      const parts = plays.shift()?.(preparation, onEvent);
      if (parts === undefined) return { how: "preempted", reason: "SIGTERM" };
      return { how: "outcome", outcome: { schema_version: 1, finished_at: "now", parts } };
    } catch (error) {
      if (!(error instanceof CliprpnError)) throw error;
      return error.code === "interrupted" ? { how: "canceled" } : { how: "error", error };
    }
  };
  const terminal = recordingTerminal();
  const watcher = new PreparationProgress(terminal, {
    json: true,
    logFile: (attempt) => store.preparations.at(attempt).logFile,
    redraw: () => undefined,
  });
  const done = prepareFeatures(trials, {
    store,
    launcher: { prepare: prepareNow, leftPreparation: () => left } as Launcher,
    slots: ["cpu", "cpu", "cpu"],
    watcher,
    record: (entry) => entries.push(entry),
    signal,
    maxRetries,
  });
  return { done, store, entries, asked, terminal, watcher };
}

const done: PreparedPart = { make: "features", label: "film", duration_ms: 1, error: null };
const failed = (code: ErrorCode): PreparedPart => ({ ...done, error: { code, message: "no such file" } });
const raise = (code: ErrorCode): Play => {
  return () => {
    throw new CliprpnError(code, `it is ${code}`);
  };
};
const states = (entries: object[]): string[] =>
  entries.flatMap((entry) => ("state" in entry ? [String(entry.state)] : []));

test("an attempt has a folder with its spec and its log, lanes for the slots, and lines in the journal", async () => {
  const made = prepare([() => [done]]);
  await made.done;
  const { folder, logFile } = made.store.preparations.at(1);
  expect(made.asked).toMatchObject([{ number: 1, folder, logFile, numLanes: 3 }]);
  expect(JSON.parse(readFileSync(join(folder, "spec.json"), "utf8"))).toEqual(made.asked[0]?.spec);
  expect(made.entries).toEqual([
    { type: "preparation_started", attempt: 1, num_parts: 1 },
    {
      type: "preparation_finished",
      attempt: 1,
      state: "completed",
      duration_ms: expect.any(Number),
      error: null,
    },
  ]);
});

test("without a part there is no attempt", async () => {
  const made = prepare([], { trials: [] });
  await made.done;
  expect([made.entries, existsSync(made.store.preparations.folder)]).toEqual([[], false]);
});

test("a lost worker is replaced, at most as often as is set; each attempt has a folder of its own", async () => {
  const again = prepare([raise("worker_killed"), () => [done]]);
  await again.done;
  expect(states(again.entries)).toEqual(["retried", "completed"]);
  expect(again.store.preparations.numbers()).toEqual([1, 2]);
  const lost = prepare([raise("worker_died"), raise("worker_died")], { maxRetries: 1 });
  await expect(lost.done).rejects.toMatchObject({ code: "worker_died" });
  expect(states(lost.entries)).toEqual(["retried", "failed"]);
});

test("one whose worker was taken away runs again, as often as that happens, and it is no failure", async () => {
  const taken: Play = () => undefined;
  const made = prepare([taken, taken, taken, () => [done]], { maxRetries: 0 });
  await made.done;
  expect(states(made.entries)).toEqual(["retried", "retried", "retried", "completed"]);
  expect(made.terminal.lines.join("\n")).toContain("SIGTERM");
});

test("one that runs since an earlier process ran the sweep is followed, if it makes the same", async () => {
  const earlier = prepare([() => [done]]);
  await earlier.done;
  const { store } = earlier;
  const same = prepare([() => [done]], { store, left: 1 });
  await same.done;
  expect(same.asked.map(({ number }) => number)).toEqual([1]);
  const other = prepare([() => [done]], { store, left: 1, trials: [withViews(9)] });
  await other.done;
  expect(other.asked.map(({ number }) => number)).toEqual([2]);
});

test.each<ErrorCode>([
  "no_space",
  "environment_broken",
])("%s ends the sweep before its trials", async (code) => {
  const made = prepare([raise(code)]);
  await expect(made.done).rejects.toMatchObject({ code });
  expect(states(made.entries)).toEqual(["failed"]);
  expect(made.terminal.lines.join("\n")).toContain(made.store.preparations.at(1).logFile);
});

test("if all parts failed, as with missing weights, the sweep ends with the error", async () => {
  const made = prepare([() => [failed("weights_missing"), failed("weights_missing")]]);
  await expect(made.done).rejects.toMatchObject({ code: "weights_missing", message: "no such file" });
  expect(states(made.entries)).toEqual(["failed"]);
});

test("baselines run if no features could be made", async () => {
  const play: Play = (_, onEvent) => {
    onEvent({ type: "progress", phase: "image_features", done: 1, total: 9 });
    return [failed("data_invalid")];
  };
  const made = prepare([play], { trials: [clipRpn, baseline({})] });
  await made.done;
  expect(states(made.entries)).toEqual(["completed"]);
  const told = made.terminal.lines.join("\n");
  expect(told).toContain("film: data_invalid: no such file");
  expect(told).not.toContain("ready");
});

test("a part that failed beside another one is told, and the trials run", async () => {
  const made = prepare([() => [done, failed("data_invalid")]]);
  await made.done;
  expect(states(made.entries)).toEqual(["completed"]);
  expect(made.terminal.lines).toContainEqual(expect.stringMatching(/film: data_invalid: no such file/));
});

test("an interruption is recorded as one", async () => {
  const made = prepare([raise("interrupted")]);
  await expect(made.done).rejects.toMatchObject({ code: "interrupted" });
  expect(states(made.entries)).toEqual(["interrupted"]);
});

test("progress has a share and a remaining time, counted from where an earlier attempt ended", () => {
  let now = 0;
  const terminal = recordingTerminal();
  const progress = new PreparationProgress(terminal, {
    json: false,
    logFile: () => "",
    redraw: () => undefined,
    now: () => now,
  });
  const event = (count: number): TrialEvent => ({
    type: "progress",
    phase: "image_features",
    done: count,
    total: 100,
  });
  progress.preparationStarted(1);
  progress.preparationEvent(event(50));
  expect(progress.status).toMatchObject({ activity: "CLIP image features 50 %", left_ms: null });
  now = 10_000;
  progress.preparationEvent(event(75));
  expect(progress.status).toMatchObject({ activity: "CLIP image features 75 %", left_ms: 10_000 });
  progress.preparationEnded(1, { state: "completed", duration_ms: 20_000, error: null });
  expect(progress.status).toBeUndefined();
  expect(terminal.lines.at(-1)).toContain("20 s");
});
