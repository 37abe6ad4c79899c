import { appendFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import { collectFiles } from "../../src/store/archive/collect-files.ts";
import { archivePath } from "../../src/store/archive/layout.ts";
import { writeArchive } from "../../src/store/archive/write-archive.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { cliprpn } from "../helpers/cli.ts";
import { addAudits, film, makeSweep, own, partsOf } from "../helpers/exported-runs.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("an archive has the manifest first, then what is needed to read, report and continue the sweep", async () => {
  const cwd = tempFolder();
  makeSweep(join(cwd, "runs"));
  const { code, out, err } = await cliprpn(["export", "fusion"], cwd);
  expect({ code, out }).toEqual({ code: 0, out: `${join(cwd, "fusion.zip")}\n` });
  expect(err).toMatch(/2 of 4 trials with results, no models .*, the source of 1 fusion; \d/);
  const parts = await partsOf(join(cwd, "fusion.zip"));
  const names = parts.map(({ name }) => name);
  expect(names[0]).toBe("cliprpn-export.json");
  expect(findSchemaErrors("ExportManifest", JSON.parse(parts[0]?.content.toString() ?? ""))).toEqual([]);
  const inTrial = (id: string): string[] =>
    names.filter((name) => name.startsWith(`trials/${id}/`)).map((name) => name.slice(24));
  const accepted = inTrial(film.trial_id).find((name) => name.startsWith("accepted/"));
  expect(inTrial(film.trial_id).sort()).toEqual([
    accepted,
    "answers/1/metrics-test.json",
    "answers/1/on-other/predictions-val.parquet",
    "answers/1/predictions-test.parquet",
    "attempts/1/events/events.out.tfevents.0",
    "attempts/1/metrics-val.json",
    "attempts/1/outcome.json",
    "attempts/1/predictions-val.parquet",
    "spec.json",
  ]);
  expect(inTrial(own.trial_id)).toContain("fusion.py");
  expect(names.filter((name) => !name.startsWith("trials/")).sort()).toEqual([
    "cliprpn-export.json",
    expect.stringMatching(/^code\/[0-9a-f]{16}\.json$/),
    "sweeps/fusion/REPORT.md",
    "sweeps/fusion/experiment.json",
    "sweeps/fusion/journal.jsonl",
    "sweeps/fusion/report.json",
    "sweeps/fusion/report/val/leaderboard.svg",
    "sweeps/fusion/trials.jsonl",
    "test-looks.jsonl",
  ]);
});

test("the audits of its trials go with a sweep, without folders of this machine", async () => {
  const cwd = tempFolder();
  makeSweep(join(cwd, "runs"));
  await addAudits(join(cwd, "runs"));
  await cliprpn(["export", "fusion"], cwd);
  const parts = await partsOf(join(cwd, "fusion.zip"));
  const audits = parts.filter(({ name }) => name.startsWith("audits/"));
  expect(audits.map(({ name }) => name).sort()).toEqual([
    "audits/film-val/AUDIT.md",
    "audits/film-val/audit.json",
    "audits/film-val/audit/kinds-1.svg",
    "audits/film-val/audit/words-1.svg",
  ]);
  for (const { name, content } of audits.filter(({ name }) => name.endsWith("audit.json")))
    expect(content.toString(), name).not.toContain(cwd);
});

test.each([
  ["best", ["best.json", "best.safetensors"]],
  ["all", ["best.json", "best.safetensors", "last.json", "last.safetensors"]],
])("--models %s includes %j", async (models, expected) => {
  const cwd = tempFolder();
  makeSweep(join(cwd, "runs"));
  const { out } = await cliprpn(["export", "fusion", "--models", models, "--out", "a.zip", "--json"], cwd);
  expect(JSON.parse(out)).toMatchObject({ num_trials: 4, num_finished: 2, num_models: expected.length });
  const place = `trials/${film.trial_id}/attempts/1/`;
  const names = (await partsOf(join(cwd, "a.zip"))).map(({ name }) => name);
  expect(names.filter((name) => /(best|last)\./.test(name) && name.startsWith(place)).sort()).toEqual(
    expected.map((name) => place + name),
  );
});

test("an archive names no folder of this machine, and not the machine", async () => {
  const cwd = tempFolder();
  makeSweep(join(cwd, "runs"));
  await cliprpn(["export", "fusion", "--models", "all"], cwd);
  for (const { name, content } of await partsOf(join(cwd, "fusion.zip"))) {
    expect(content.toString(), name).not.toMatch(/\/home\/|my-host|\/cache|\/data/);
    expect(content.toString(), name).not.toContain(hostname());
    expect(content.toString(), name).not.toContain(cwd);
  }
});

test("an existing file is not replaced, and nothing is written into a missing folder", async () => {
  const cwd = tempFolder();
  makeSweep(join(cwd, "runs"));
  writeFileSync(join(cwd, "fusion.zip"), "mine");
  expect(await cliprpn(["export", "fusion"], cwd)).toMatchObject({
    code: 2,
    err: expect.stringContaining("--out"),
  });
  expect(await cliprpn(["export", "fusion", "--out", "no/a.zip"], cwd)).toMatchObject({ code: 2 });
  expect(await cliprpn(["export", "nothing"], cwd)).toMatchObject({ code: 2 });
  expect(readdirSync(cwd).sort()).toEqual(["fusion.zip", "runs"]);
});

test("beside a running sweep, the journal ends with a whole line", async () => {
  const cwd = tempFolder();
  const sweep = makeSweep(join(cwd, "runs"));
  const before = collectFiles(sweep, "none").files.find(({ path }) => path.endsWith("journal.jsonl"));
  appendFileSync(join(sweep.folder, "journal.jsonl"), '{"type":"trial_st');
  const after = collectFiles(sweep, "none").files.find(({ path }) => path.endsWith("journal.jsonl"));
  expect(after).toEqual(before);
});

test("an interruption, and a file that is removed or changed during the export, leave no archive", async () => {
  const cwd = tempFolder();
  const sweep = makeSweep(join(cwd, "runs"));
  const { files } = collectFiles(sweep, "best");
  const facts = {
    sweep: "fusion",
    models: "best" as const,
    cliprpn_version: "1",
    signal: new AbortController().signal,
  };
  const trial = new TrialStore(sweep.runsDir, own.trial_id);
  const weights = trial.model(1) ?? "";
  // Each file is hashed before the first is written.
  const change = writeArchive(join(cwd, "a.zip"), files, {
    ...facts,
    onProgress: () => writeFileSync(weights, "x".repeat(1000)),
  });
  await expect(change).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringContaining(weights),
  });
  const controller = new AbortController();
  const interrupted = writeArchive(join(cwd, "a.zip"), collectFiles(sweep, "best").files, {
    ...facts,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(interrupted).rejects.toMatchObject({ name: "AbortError" });
  rmSync(weights);
  const removal = writeArchive(join(cwd, "a.zip"), files, { ...facts, onProgress: () => undefined });
  await expect(removal).rejects.toMatchObject({ code: "bad_input" });
  expect(readdirSync(cwd)).toEqual(["runs"]);
});

test("all paths of an export are known, and no others", () => {
  const id = "0123456789abcdef";
  for (const path of [
    "/etc/passwd",
    "../runs/trials",
    `trials/${id}/../${id}/spec.json`,
    `trials/${id}/claim/1`,
    `trials/${id}/places.json`,
    `trials/${id}/fusion.py.untrusted`,
    `trials/${id}/attempts/1/fusion.py`,
    `trials/${id}/attempts/0/outcome.json`,
    `trials/${id}/attempts/1/best.pth`,
    `trials/${id}/attempts/1/__pycache__/fusion.pyc`,
    `trials/${id.toUpperCase()}/spec.json`,
    `trials/${id}/spec.json\n`,
    `trials/${id}/spec.json/`,
    "sweeps/a/places.json",
    "sweeps/a/lock/1",
    "sweeps/A/experiment.json",
    "sweeps/../experiment.json",
    "sweeps/a/report/val/../x.svg",
    "sweeps/a/report/val/x.html",
    "sweeps\\a\\experiment.json",
    "C:/a",
    "",
  ])
    expect(archivePath(path), path).toBeUndefined();
  expect(archivePath(`trials/${id}/attempts/12/best.safetensors`)).toMatchObject({ attempt: 12 });
});
