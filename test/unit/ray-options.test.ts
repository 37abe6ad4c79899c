/** Options of `--engine ray`: where they may come from, and what is refused before anything runs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withCluster } from "../../src/commands/cluster-options.ts";
import { Arguments } from "../../src/commands/command.ts";
import type { RayOptions } from "../../src/contract/generated/types.ts";
import { readRayOptions } from "../../src/experiment/engine-options.ts";
import { checkRayAddress } from "../../src/experiment/ray-address.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { rayPython } from "../../src/sweep/machines/ray-place.ts";
import type { ReadPlan } from "../../src/sweep/read-plan.ts";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { errorOf } from "../helpers/error-of.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** A folder with an experiment, and options of the lab. */
function folderWith(ray: object, lab: object = {}): string {
  const folder = tempFolder();
  writeFileSync(
    join(folder, "exp.json"),
    JSON.stringify({ name: "a", question: "Which is best?", engine: { ray } }, null, 1),
  );
  mkdirSync(join(folder, "engines"));
  writeFileSync(join(folder, "engines/lab.json"), JSON.stringify({ ray: lab }, null, 1));
  return folder;
}

function read(folder: string): RayOptions {
  return readRayOptions(readExperiment("exp.json", [], folder).experiment, undefined, folder).options;
}

/** What a command makes of its options. */
function choose(values: object, ray: RayOptions = {}): RunContext {
  const folder = folderWith(ray);
  const experiment = readExperiment("exp.json", [], folder).experiment;
  const args = new Arguments({ ...values });
  const run = { ...contextIn(folder), cwd: folder, device: args.text("device") ?? "auto" };
  const engine = args.text("engine") === "ray" ? "ray" : "local";
  return withCluster({ ...run, engine }, { experiment } as ReadPlan, args);
}

test("the experiment comes before the file of the lab, key by key", () => {
  const folder = folderWith(
    { num_cpus: 4, max_workers: 2 },
    { address: "head:6379", num_cpus: 8, num_gpus: 0 },
  );
  expect(read(folder)).toEqual({ address: "head:6379", num_cpus: 4, num_gpus: 0, max_workers: 2 });
});

test.each<[what: string, ray: object, place: RegExp]>([
  // Ray runs what a cluster sends.
  [
    "an address",
    { address: "head:6379" },
    /^exp\.json:6:4 {2}engine\.ray\.address: .*lab\.json, or as --ray-address/,
  ],
  ["an interpreter", { python: "/tmp/python" }, /^exp\.json:6:4 {2}engine\.ray\.python: .*--ray-python/],
  ["part of two", { resources: { ssd: 1.5 } }, /^exp\.json:.*ssd: expected a whole number.*found 1\.5/],
  ["too little", { resources: { ssd: 0.00001 } }, /^exp\.json:.*ssd: expected a whole number, or a part/],
  ["a label with a space", { label_selector: { zone: "a b" } }, /^exp\.json:.*zone: expected a label.*"a b"/],
  ["a label's dash", { label_selector: { gpu: "in(H100, -bad-)" } }, /^exp\.json:.*gpu: expected a label/],
  ["half a GPU", { num_gpus: 0.5 }, /^exp\.json:6:16 .*num_gpus/],
  [
    "a resource with an option of its own",
    { resources: { GPU: 1 } },
    /^exp\.json:7:5 {2}GPU: expected num_gpus/,
  ],
  [
    "a node by its id",
    { label_selector: { "ray.io/node-id": "ab" } },
    /^exp\.json:7:5 {2}ray\.io\/node-id: /,
  ],
])("an experiment with %s is refused where it says so", (_, ray, place) => {
  expect(errorOf(() => read(folderWith(ray)))).toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(place),
  });
});

test.each(["auto", "head.lab.org:6379", "10.0.0.7:6379", "[fd00::7]:6379"])("%s is an address", (address) => {
  expect(checkRayAddress("--ray-address", address)).toBe(address);
});

test.each([
  ["ray://head:10001", /found ray:\/\/head:10001; Ray Client cannot hold workers: run cliprpn on a node/],
  ["head", /^--ray-address: expected HOST:PORT .* found head$/],
])("%s is none", (address, message) => {
  expect(() => checkRayAddress("--ray-address", address)).toThrow(message);
});

test("options of the command come first; trials on the CPU ask for no GPU", () => {
  const { ray, device, jobDevice } = choose({
    engine: "ray",
    device: "cpu",
    "ray-address": "head:6379",
    "ray-python": "/opt/python",
  });
  expect(ray).toEqual({ num_gpus: 0, address: "head:6379", python: "/opt/python" });
  expect([device, jobDevice]).toEqual(["auto", "cpu"]);
});

test.each([
  ["env/bin/python", (cwd: string) => join(cwd, "env/bin/python")],
  ["/opt/python", () => "/opt/python"],
  ["python3", () => "python3"],
])("the interpreter %s is one of the current folder, or of the PATH", async (given, expected) => {
  const run = { ...choose({ engine: "ray", "ray-python": given }), cwd: tempFolder() };
  expect((await rayPython(run)).python).toBe(expected(run.cwd));
});

test.each([
  [
    { engine: "ray", detach: true },
    /^--detach: expected --engine slurm, found ray: Ray ends the workers with the command/,
  ],
  [{ engine: "ray", devices: "cuda:0" }, /^--devices: .*actors have one GPU each/],
  [{ "ray-address": "head:6379" }, /^--ray-address: only valid with --engine ray; add it/],
  [{ "ray-python": "python3" }, /^--ray-python: only valid with --engine ray/],
  [{ "engine-options": "a.json" }, /^--engine-options: only valid with --engine slurm, ray/],
  [{ detach: true }, /^--detach: only valid with --engine slurm/],
])("%j is refused", (values, message) => {
  expect(() => choose(values)).toThrow(expect.objectContaining({ code: "bad_input" }));
  expect(() => choose(values)).toThrow(message);
});

test("a GPU for trials whose actors have none is refused", () => {
  expect(() => choose({ engine: "ray", device: "cuda" }, { num_gpus: 0 })).toThrow(
    /--device cuda or .*num_gpus 0/,
  );
});
