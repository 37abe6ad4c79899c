import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeOwner } from "../../src/base/owner-lock.ts";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { BaselineSpec, StoredExperiment, TrialSpec } from "../../src/contract/generated/types.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { sweepsIn } from "../../src/store/sweeps.ts";
import { errorOf } from "../helpers/error-of.ts";
import { madeBaselineSpec, madeInput, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const experiment: StoredExperiment = {
  schema_version: 1,
  name: "made",
  question: "Which one?",
  published: [],
  source: { file: "made.json", sets: ["seeds=[0,1]"] },
  dataset: { id: "made", name: "mine", split_by: "umd" },
  keep_models: "all",
};

const current = <Spec extends TrialSpec>(spec: Spec): Spec => ({
  ...spec,
  sources_sha256: codeHashes()[spec.kind],
});
const specs = [0, 1].map((seed) => current(madeSpec("film", seed)));

/** A baseline whose boxes come from a file with this content. */
function baseline(label: string, sha256: string): BaselineSpec {
  const detector = {
    kind: "yolo" as const,
    file: `/weights/${label}.onnx`,
    sha256: sha256.repeat(64),
    image_size_px: null,
    classes: null,
  };
  const [trial] = madeInput([{ label, acc: [0.5], baseline: { best_box: 0.8, detector } }]).trials;
  if (trial?.spec.kind !== "baseline") throw new Error("a made baseline is one");
  return current(trial.spec);
}

function writeSweep(
  trials: TrialSpec[] = specs,
  changes: Partial<StoredExperiment> = {},
  runs = tempFolder(),
): SweepStore {
  const all = { ...experiment, ...changes };
  const store = new SweepStore(runs, all.name);
  mkdirSync(store.folder, { recursive: true });
  store.write(all, trials);
  return store;
}

/** Of the same sweep, as a later process opens it. */
const reopened = ({ runsDir, name }: SweepStore): SweepStore => new SweepStore(runsDir, name);

describe("a sweep's folder", () => {
  test("is named by the sweep alone, and gives back what was asked for", () => {
    const trials = [...specs, baseline("yolo", "a")];
    const store = writeSweep(trials);
    expect(store.folder).toBe(join(store.runsDir, "sweeps", "made"));
    const content = reopened(store).read();
    expect(content.experiment).toEqual(experiment);
    expect(content.trials).toEqual(trials.map((spec) => ({ spec, asked: true, attempt: null })));
    expect(readdirSync(store.folder).sort()).toEqual(["experiment.json", "places.json", "trials.jsonl"]);
  });

  test("keeps places out of the rows of the trials", () => {
    const store = writeSweep([...specs, baseline("yolo", "a")]);
    const rows = readFileSync(join(store.folder, "trials.jsonl"), "utf8");
    for (const place of ["/data", "/cache", "/weights", '"device"']) expect(rows).not.toContain(place);
    const moved = specs.map((spec) => ({
      ...spec,
      device: "cuda:0",
      cache_dir: "/elsewhere",
      dataset: { ...spec.dataset, root: "/moved" },
    }));
    store.write(experiment, [...moved, baseline("yolo", "a")]);
    expect(readFileSync(join(store.folder, "trials.jsonl"), "utf8")).toBe(rows);
    expect(store.read().trials[0]?.spec).toEqual(moved[0]);
  });

  test("that is asked for the same again stays as it is", () => {
    const store = writeSweep();
    const before = readdirSync(store.folder).map((name) => readFileSync(join(store.folder, name), "utf8"));
    reopened(store).write(experiment, specs);
    expect(readdirSync(store.folder).map((name) => readFileSync(join(store.folder, name), "utf8"))).toEqual(
      before,
    );
  });

  test("keeps the trials and the earlier text when the question is edited", () => {
    const store = writeSweep();
    store.writeTrials(store.read().trials.map((trial) => ({ ...trial, attempt: 3 })));
    const first = readFileSync(join(store.folder, "experiment.json"), "utf8");
    const edited = { ...experiment, question: "Which one is best?" };
    reopened(store).write(edited, specs);
    expect(store.read().experiment).toEqual(edited);
    expect(store.read().trials).toEqual(specs.map((spec) => ({ spec, asked: true, attempt: 3 })));
    expect(readFileSync(join(store.folder, "experiment-1.json"), "utf8")).toBe(first);
    rmSync(join(store.folder, "experiment-1.json"));
    const second = readFileSync(join(store.folder, "experiment.json"), "utf8");
    store.write({ ...edited, question: "Which is second?" }, specs);
    store.write({ ...edited, question: "Which is third?" }, specs);
    expect(readFileSync(join(store.folder, "experiment-1.json"), "utf8")).toBe(second);
  });

  test("never overwrites an earlier experiment, also if one was removed", () => {
    const store = writeSweep();
    const ask = (question: string): void => void store.write({ ...experiment, question }, specs);
    for (const question of ["one", "two"]) ask(question);
    rmSync(join(store.folder, "experiment-1.json"));
    const second = readFileSync(join(store.folder, "experiment-2.json"), "utf8");
    ask("three");
    expect(readFileSync(join(store.folder, "experiment-2.json"), "utf8")).toBe(second);
    expect(readFileSync(join(store.folder, "experiment-3.json"), "utf8")).toContain('"two"');
  });

  test("lists trials that are no longer asked for, and asks for them again", () => {
    const store = writeSweep();
    const [first, second] = specs as [TrialSpec, TrialSpec];
    const third = current(madeSpec("film", 2));
    store.writeTrials(store.read().trials.map((trial) => ({ ...trial, attempt: 2 })));
    store.write(experiment, [third, second]);
    expect(store.read().trials).toEqual([
      { spec: third, asked: true, attempt: null },
      { spec: second, asked: true, attempt: 2 },
      { spec: first, asked: false, attempt: 2 },
    ]);
    store.write(experiment, [first]);
    expect(store.read().trials.map(({ spec, asked }) => [spec.seed, asked])).toEqual([
      [0, true],
      [2, false],
      [1, false],
    ]);
  });

  test("knows the places of detectors that are no longer asked for", () => {
    const [old, later] = [baseline("old", "a"), baseline("later", "b")];
    const store = writeSweep([old]);
    store.write(experiment, [later]);
    expect(reopened(store).read().trials).toEqual([
      { spec: later, asked: true, attempt: null },
      { spec: old, asked: false, attempt: null },
    ]);
  });

  test.each<[file: string, text: string]>([
    ["experiment.json", '{"name": "made"'],
    ["experiment.json", "null"],
    ["experiment.json", JSON.stringify({ ...experiment, color: "red" })],
    ["places.json", ""],
    ["places.json", '{"schema_version": 1}'],
    ["experiment.json", "\u0000\u0001"],
    ["trials.jsonl", ""],
    ["trials.jsonl", '{"torn": '],
    ["trials.jsonl", "{}\n"],
    ["trials.jsonl", '{"trial": null}\n'],
  ])("with the %s %j is an error that names the file", (name, text) => {
    const store = writeSweep();
    writeFileSync(join(store.folder, name), text);
    const error = errorOf(() => store.read());
    expect(error.code).toBe("bad_input");
    expect(error.message).toContain(join(store.folder, name));
  });

  test.each([
    "experiment.json",
    "places.json",
    "trials.jsonl",
  ])("of a newer version of %s is an error that says so", (name) => {
    const store = writeSweep();
    const file = join(store.folder, name);
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/"schema_version": ?1/g, '"schema_version":2'));
    const error = errorOf(() => store.read());
    expect(error.code).toBe("bad_input");
    expect(error.message).toMatch(/expected version 1.*found 2.*newer cliprpn/);
    expect(error.message).toContain(file);
  });

  test.each([
    "places.json",
    "trials.jsonl",
  ])("without its %s is an error that names it; the next run writes it", (name) => {
    const store = writeSweep();
    const before = store.read();
    rmSync(join(store.folder, name));
    const error = errorOf(() => store.read());
    expect(error.code).toBe("bad_input");
    expect(error.message).toContain(join(store.folder, name));
    store.write(experiment, specs);
    expect(store.read()).toEqual(before);
  });

  test("that does not exist is not found", () => {
    const store = new SweepStore(tempFolder(), "made");
    expect(store.exists).toBe(false);
    expect(errorOf(() => store.read()).code).toBe("not_found");
  });

  test("that is in use makes a second process wait and report it", async () => {
    const store = new SweepStore(tempFolder(), "made");
    const first = await store.lock({ command: "first", onWait: fail, onLost: fail });
    const owners: string[] = [];
    const second = store.lock({
      command: "second",
      onWait: (owner) => {
        owners.push(describeOwner(owner));
        void first.release();
      },
      onLost: fail,
    });
    await (await second).release();
    expect(owners).toEqual([expect.stringContaining("(first)")]);
  });
});

test("trials are listed without their settings as their rows have them", () => {
  const [film, ...others] = specs;
  if (film === undefined) throw new Error("specs were made");
  const trap = { ...film, label: 'a "label","settings":{ and "baseline":{}}' };
  const upperBound = madeBaselineSpec("boxes", { best_box: 0.9, detector: { kind: "gt_boxes" } });
  const store = writeSweep([trap, ...others, upperBound, baseline("yolo", "a")]);
  store.write(experiment, [trap, ...others, upperBound]);
  const rows = (store.rows() ?? []).map(({ trial, label, seed, asked, attempt }) => ({
    trial_id: trial.trial_id,
    kind: trial.kind,
    label,
    seed,
    asked,
    attempt,
    is_upper_bound: label === "boxes",
  }));
  expect(rows.map(({ asked }) => asked)).toEqual([true, true, true, false]);
  expect(store.listed()).toEqual(rows);
});

test.each([
  ["no JSON", () => "{"],
  ["zeros", (row: string) => "\u0000".repeat(row.length)],
  ["a value of another type", (row: string) => row.replace('"asked":true', '"asked":"yes"')],
  ["no trial", (row: string) => row.replace('"trial":', '"other":')],
  ["a newer version", (row: string) => row.replace('"schema_version":1', '"schema_version":9')],
])("a listed row with %s is an error that names its line", (_, damaged) => {
  const store = writeSweep();
  const file = join(store.folder, "trials.jsonl");
  const [first = "", second = ""] = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, `${first}\n${damaged(second)}\n`);
  const error = errorOf(() => store.listed());
  expect(error).toMatchObject({ code: "bad_input", message: expect.stringContaining(`${file}:2`) });
  expect(errorOf(() => store.rows())).toEqual(error);
});

test("sweeps are listed by their last change, then by name, without other folders and files", () => {
  const runs = tempFolder();
  for (const name of ["d", "c", "b", "a"]) writeSweep(specs, { name }, runs);
  const touch = (name: string, file: string, seconds: number): void =>
    utimesSync(join(runs, "sweeps", name, file), seconds, seconds);
  for (const name of ["a", "b", "c", "d"]) new SweepStore(runs, name).journal.open().close();
  for (const name of ["a", "b", "c", "d"])
    for (const file of ["experiment.json", "journal.jsonl", ""]) touch(name, file, 1000);
  touch("d", "journal.jsonl", 3000);
  touch("b", "experiment.json", 2000);
  mkdirSync(join(runs, "sweeps", "notes"));
  writeFileSync(join(runs, "sweeps", "file"), "");
  expect(sweepsIn(runs).map(({ name }) => name)).toEqual(["d", "b", "a", "c"]);
  expect(sweepsIn(join(runs, "nowhere"))).toEqual([]);
});

function fail(): never {
  throw new Error("no other process uses the sweep");
}

describe("a list of trials that a power failure tore", () => {
  const file = ({ folder }: SweepStore): string => join(folder, "trials.jsonl");

  test("is never misread: it is refused, or nothing is missing", () => {
    const store = writeSweep();
    const [rows, listed] = [store.rows(), store.listed()];
    const content = readFileSync(file(store));
    const endOfFirst = content.indexOf("\n");
    const sizes = [...content.keys()].filter(
      (size) => size % 97 === 0 || Math.abs(size - endOfFirst) < 5 || content.length - size < 30,
    );
    let numWhole = 0;
    for (const size of sizes) {
      writeFileSync(file(store), content.subarray(0, size));
      for (const [read, whole] of [
        [() => store.rows(), rows],
        [() => store.listed(), listed],
      ] as const) {
        let found: unknown;
        try {
          found = read();
        } catch (error) {
          expect(error).toMatchObject({ code: "bad_input", message: expect.stringContaining(file(store)) });
          continue;
        }
        expect(found).toEqual(whole);
        numWhole += 1;
      }
    }
    expect(numWhole).toBeGreaterThan(0); // Without the last line break.
    expect(numWhole).toBeLessThan(20);
  });

  test.each<[what: string, tear: (lines: string[]) => string[]]>([
    ["within its last line", ([first = "", last = ""]) => [first, last.slice(0, 100)]],
    ["after a line", ([first = ""]) => [first]],
    ["within its first line", ([first = "", last = ""]) => [first.slice(0, 100), last]],
    ["by zeros", ([first = "", last = ""]) => [`${first.slice(0, 90)}${"\0".repeat(50)}`, last]],
  ])("%s is written again by the next run, which says so and keeps a copy", (_, tear) => {
    const store = writeSweep();
    store.writeTrials(store.read().trials.map((trial) => ({ ...trial, attempt: 2 })));
    const before = store.rows();
    const torn = `${tear(readFileSync(file(store), "utf8").split("\n")).join("\n")}\n`;
    writeFileSync(file(store), torn);
    expect(errorOf(() => store.read()).message).toMatch(/trials\.jsonl.*run the sweep again/s);
    const said = store.write(experiment, specs) ?? "";
    expect(said).toMatch(/trials\.jsonl(:\d)?: expected .*, found/);
    expect(readFileSync(/a copy is (.*)$/.exec(said)?.[1] ?? "", "utf8")).toBe(torn);
    const isKept = (seed: number): boolean =>
      torn.split("\n").some((line) => line.includes(`"seed":${seed},`) && line.endsWith("}}"));
    expect(store.rows()).toEqual(before?.map((row) => ({ ...row, attempt: isKept(row.seed) ? 2 : null })));
    expect(store.write(experiment, specs)).toBeUndefined();
  });

  test("of an earlier version, which has no number of lines, is read", () => {
    const store = writeSweep();
    const rows = store.rows()?.map(({ num_rows: _, ...row }) => row);
    writeFileSync(file(store), readFileSync(file(store), "utf8").replaceAll(/"num_rows":\d+,/g, ""));
    expect(store.rows()).toEqual(rows);
    expect(store.listed()).toHaveLength(2);
  });
});
