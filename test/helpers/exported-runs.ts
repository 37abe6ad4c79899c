import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openZip } from "../../src/base/zip-file.ts";
import { codeHash, codeOf } from "../../src/contract/code-identity.ts";
import type { ClipRpnSpec, ExportManifest, TrialSpec } from "../../src/contract/generated/types.ts";
import { trialId } from "../../src/contract/trial-id.ts";
import { presets } from "../../src/experiment/presets.ts";
import { manifestName } from "../../src/store/archive/layout.ts";
import { recordCode } from "../../src/store/code-manifests.ts";
import type { SweepStore } from "../../src/store/sweep-store.ts";
import { recordLook } from "../../src/store/test-looks.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { addAudit, madeAudit, madeAuditSummary } from "./made-audit.ts";
import { addAttempt, addFailure, addSweep, type MadeAttempt } from "./made-runs.ts";
import { madeSpec } from "./report-input.ts";
import { type ZipPart, zipOf } from "./zip.ts";

/** A person's fusion, which writes a file when it is loaded. */
export const fusionSource = 'open("fusion-ran", "w").close()\n';

/** A trial of cliprpn's own fusion, one of a person's, one that failed, and one that has not started. */
export const film = withId(madeSpec("film", 0));
export const own = withId(ownFusion(madeSpec("own", 1)));
export const broken = withId(madeSpec("broken", 2));
export const waiting = withId(madeSpec("waiting", 3));
export const specs = [film, own, broken, waiting];

function withId<Spec extends TrialSpec>(spec: Spec): Spec {
  return { ...spec, trial_id: trialId(spec) };
}

function ownFusion(spec: ClipRpnSpec): ClipRpnSpec {
  const source_sha256 = createHash("sha256").update(fusionSource).digest("hex");
  const fusion = { kind: "file" as const, file: "/home/me/mine.py:Mine", params: {}, source_sha256 };
  return { ...spec, settings: { ...presets.default, fusion } };
}

/** A sweep as a machine leaves it: with models, answers on test, events, a report, and paths of that machine. */
export function makeSweep(runsDir: string): SweepStore {
  addFinished(runsDir, film, { acc: 0.6 });
  addFinished(runsDir, own, { acc: 0.5 });
  addAttempt(runsDir, broken, { state: "unfinished", models: [] });
  const sweep = addSweep(runsDir, "fusion", specs);
  const journal = sweep.journal.open();
  journal.append({ type: "sweep_started", num_trials: specs.length, command: "cliprpn sweep fusion.json" });
  for (const { trial_id } of [film, own, broken])
    journal.append({ type: "trial_started", trial_id, attempt: 1, slot: 0, worker: "my-host cpu, pid 7" });
  const error = { code: "no_space" as const, message: "/home/me/runs: no space left on the disk of my-host" };
  journal.append({ type: "sweep_paused", error });
  journal.close();
  addFailure(sweep, broken, 1);
  recordCode(runsDir, codeHash(codeOf("cliprpn")), codeOf("cliprpn"));
  recordLook(runsDir, {
    dataset_id: "made",
    dataset_name: "mine",
    split: "test",
    command: "cliprpn report fusion --split test",
    sweep: "fusion",
    num_trials: 2,
  });
  write(join(sweep.folder, "REPORT.md"), "# Which is best?\n");
  write(join(sweep.folder, "report.json"), JSON.stringify({ gallery: [{ image_file: "/home/me/a.png" }] }));
  write(join(sweep.folder, "report/val/leaderboard.svg"), "<svg/>");
  write(join(sweep.folder, "report/val/notes.txt"), "not a file of cliprpn");
  return sweep;
}

/** An audit of a trial of the sweep, one of other trials, one of an outside model, and a damaged one. */
export async function addAudits(runsDir: string): Promise<void> {
  const image_file = join(runsDir, "a.jpg");
  const box: [number, number, number, number] = [1, 1, 5, 5];
  const examples = [
    {
      ...{
        sent_id: 1,
        sentence: "red dog",
        image_file,
        upright: false,
        gt_box_xyxy: box,
        pred_box_xyxy: box,
      },
      ...{ iou: 1, words: [{ word: "red", iou: 0.5 }] },
    },
  ];
  const summary = madeAuditSummary({ examples });
  const attempt = (trial_id: string) => ({ trial_id, finished_at: "2026-01-02T03:04:05.000Z" });
  await addAudit(runsDir, madeAudit(summary, [attempt(film.trial_id)], "film-val"));
  await addAudit(runsDir, madeAudit(summary, [attempt("0".repeat(16))], "others-val"));
  await addAudit(runsDir, madeAudit(summary, [], "qwen-val"));
  write(join(runsDir, "audits", "broken-val", "audit.json"), "{");
}

/** A completed attempt with all that it can have. @returns its number. */
export function addFinished(runsDir: string, spec: ClipRpnSpec, made: MadeAttempt = {}): number {
  const attempt = addAttempt(runsDir, spec, made);
  const trial = new TrialStore(runsDir, spec.trial_id);
  const { folder } = trial.attempt(attempt);
  const isOwn = spec.settings.fusion.kind === "file";
  const fusion = isOwn ? { ...spec.settings.fusion, file: "fusion.py:Mine" } : spec.settings.fusion;
  for (const epoch of ["best", "last"])
    write(
      join(folder, `${epoch}.json`),
      JSON.stringify({
        kind: "cliprpn-model",
        schema_version: 1,
        trial_id: spec.trial_id,
        backbone: { weights: "/home/me/weights.safetensors" },
        settings: { ...spec.settings, fusion },
      }),
    );
  if (isOwn) for (const place of [trial.folder, folder]) write(join(place, "fusion.py"), fusionSource);
  write(join(folder, "metrics-val.json"), "{}");
  write(join(folder, "events/events.out.tfevents.1.my-host.2.0"), "events");
  const answers = trial.answersFolder(attempt, "test");
  write(join(answers, "predictions-test.parquet"), "predictions");
  write(join(answers, "metrics-test.json"), "{}");
  write(join(answers, "on-other", "predictions-val.parquet"), "predictions");
  write(join(answers, "evaluated-last", "predictions-val.parquet"), "predictions");
  return attempt;
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** The files of an archive, the manifest first. */
export async function partsOf(archive: string): Promise<ZipPart[]> {
  const zip = await openZip(archive);
  const parts: ZipPart[] = [];
  for await (const entry of zip.eachEntry()) {
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(Buffer.from(chunk));
    parts.push({ name: entry.fileName, content: Buffer.concat(chunks) });
  }
  zip.close();
  return parts;
}

/** Writes an archive whose manifest describes its files, whatever they are, as a person with bad intentions would. */
export function writeForged(archive: string, parts: readonly ZipPart[]): void {
  const [first, ...others] = parts;
  const manifest: ExportManifest = JSON.parse(first?.content.toString() ?? "");
  const files = others.map(({ name, content }) => ({
    path: name,
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  }));
  const content = Buffer.from(JSON.stringify({ ...manifest, files }));
  writeFileSync(archive, zipOf([{ name: manifestName, content }, ...others]));
}

/** Parts of which one has other text. @throws if there is no such part, or no change. */
export function edited(parts: readonly ZipPart[], name: RegExp, edit: (text: string) => string): ZipPart[] {
  const index = parts.findIndex((part) => name.test(part.name));
  const part = parts[index];
  if (part === undefined) throw new Error(`expected a part ${name}`);
  const content = Buffer.from(edit(part.content.toString()));
  if (content.equals(part.content)) throw new Error(`expected an edit of ${part.name}`);
  return parts.with(index, { ...part, content });
}
