import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { recordAuditLook } from "../../src/audit/audit-looks.ts";
import { auditName } from "../../src/audit/run-audit.ts";
import type { AuditExample } from "../../src/contract/generated/types.ts";
import { auditVerdict, orderRemark } from "../../src/report/audit/audit-verdict.ts";
import { otherRemarks } from "../../src/report/sections/verdict-remarks.ts";
import { AuditStore, allAudits } from "../../src/store/audit-store.ts";
import { countLooks } from "../../src/store/test-looks.ts";
import { findAudits } from "../../src/sweep/results/find-audits.ts";
import { addAudit, madeAudit, madeAuditSummary, madeKind } from "../helpers/made-audit.ts";
import { madeInput, madeOutcome, madeSpec, madeTrial } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

describe("the verdict of an audit", () => {
  test("names a model that ignores word order, with both shares", () => {
    expect(orderRemark(madeAuditSummary())).toMatch(/film ignores word order.* 97\.0 % .* 96\.0 %/);
    expect(auditVerdict(madeAuditSummary())).toMatch(
      /Without words, Acc@0\.5 is 20\.0 %.* 70\.0 % of the boxes/,
    );
  });

  test("says that order matters, or that there are too few images", () => {
    expect(orderRemark(madeAuditSummary({ ignores_word_order: false }))).toBeUndefined();
    expect(auditVerdict(madeAuditSummary({ ignores_word_order: false }))).toContain("Word order matters");
    const open = auditVerdict(madeAuditSummary({ ignores_word_order: null }));
    expect(open).toMatch(/open whether word order matters.* 97\.0\s\(96\.0\sto\s98\.0\) %/);
    const none = { ...madeKind("shuffled", 1), unchanged: { mean: 1, low: null, high: null } };
    const few = auditVerdict(madeAuditSummary({ ignores_word_order: null, kinds: [none] }));
    expect(few).toContain("too few images");
    for (const text of [open, few]) expect(text).not.toContain("Word order matters");
    expect(auditVerdict(madeAuditSummary({ ignores_expression: true }))).toContain(
      "not above its own answers",
    );
  });

  test("says nothing about kinds without answers, and names them", () => {
    const unanswered = { acc_at_50: null, difference: null, unchanged: null, moved: null, p_adjusted: null };
    const kinds = madeAuditSummary().kinds.map((kind) => ({ ...kind, ...unanswered }));
    const text = auditVerdict(
      madeAuditSummary({ kinds, ignores_word_order: null, ignores_expression: null, num_missing: 7 }),
    );
    expect(text).toMatch(/unknown.*7 unchanged expressions.*no words, shuffled words, reversed words/);
    expect(text).not.toMatch(/Word order matters|Without words|move to another/);
  });

  test("names the order of words for which too few expressions have a box", () => {
    const unanswered = { acc_at_50: null, difference: null, unchanged: null, p_adjusted: null };
    const kinds = [{ ...madeKind("shuffled", 0.9), ...unanswered }, madeKind("reversed", 0.97)];
    expect(auditVerdict(madeAuditSummary({ kinds, ignores_word_order: null }))).toMatch(
      /shuffled words too few expressions have a box and with reversed words .* 97\.0\s\(96/,
    );
  });

  test("says that no expression has another order if all have one word", () => {
    const kinds = [madeKind("blank", 0.1)];
    expect(auditVerdict(madeAuditSummary({ kinds, ignores_word_order: null }))).toContain(
      "No expression has words in another order",
    );
  });
});

const sentence = "the <b>cup | mug</b>";

function exampleWith(image_file: string | null, ious: (number | null)[]): AuditExample {
  const words = sentence.split(" ").map((word, index) => ({ word, iou: ious[index] ?? null }));
  const box: [number, number, number, number] = [5, 5, 20, 20];
  return {
    ...{ sent_id: 7, sentence, image_file, upright: false, gt_box_xyxy: box, pred_box_xyxy: box, iou: 1 },
    words,
  };
}

test("an audit is written with its charts, its words and its images, and read again", async () => {
  const folder = tempFolder();
  const image_file = join(folder, "a.png");
  await sharp({ create: { width: 40, height: 30, channels: 3, background: "#888" } })
    .png()
    .toFile(image_file);
  const audit = madeAudit(
    madeAuditSummary({ examples: [exampleWith(image_file, [0.5, 0.5, 0.5, 0.5])] }),
    [],
  );
  const store = await addAudit(folder, audit);
  const text = readFileSync(join(store.folder, "AUDIT.md"), "utf8");
  expect(text).toContain("| shuffled words | 100 | 50.0 |");
  expect(text).toMatch(/3 expressions of one word/);
  expect(text).toMatch(/without the words a, the/);
  expect(text).not.toMatch(/(?<!\\)<b>/);
  for (const name of ["AUDIT.html", "audit/kinds-1.svg", "audit/words-1.svg", "audit/example-1-1.png"])
    expect(existsSync(join(store.folder, name)), name).toBe(true);
  expect(store.read()).toEqual(audit);
});

test("without images, and with words that have no answer, an audit has its words and says so", async () => {
  const folder = tempFolder();
  const gone = join(folder, "gone.jpg");
  const examples = [exampleWith(null, [0.5, null, 0.5, 0.5]), exampleWith(gone, [null, null, null, null])];
  const store = await addAudit(folder, madeAudit(madeAuditSummary({ examples }), []));
  const text = readFileSync(join(store.folder, "AUDIT.md"), "utf8");
  expect(text).toMatch(/without an image: .*prepared without images; .*gone\.jpg/);
  expect(text).toContain("A word without color has no answer");
  expect(existsSync(join(store.folder, "audit/words-1.svg"))).toBe(true);
  expect(text).not.toContain("example-1-1");
});

test("questions without a box are shown by kind", async () => {
  const folder = tempFolder();
  const few = { ...madeKind("reversed", 0.9), num_missing: 12, num_unparsed: 34 };
  const none = { ...madeKind("blank", 0.9), num_unparsed: 80, acc_at_50: null, difference: null };
  const summary = madeAuditSummary({ kinds: [{ ...none, unchanged: null, p_adjusted: null }, few] });
  const store = await addAudit(folder, madeAudit(summary, []));
  const text = readFileSync(join(store.folder, "AUDIT.md"), "utf8");
  expect(text).toContain("| reversed words | 100 | 100 | 12 | 34 | 50.0 | 40.0");
  expect(text).toMatch(/\| no words \| 100 \| 100 \| 0 \| 80 \| 50\.0 \| – \| – \|/);
});

describe("a report finds the audits of the trials that it shows", () => {
  const spec = madeSpec("film", 0);
  const shown = madeTrial(spec, madeOutcome(spec));
  const attempt = { trial_id: spec.trial_id, finished_at: madeOutcome(spec).finished_at };

  test("on its data and split", async () => {
    const runsDir = tempFolder();
    await addAudit(runsDir, madeAudit(madeAuditSummary(), [attempt]));
    const found = (dataset: string, split: "val" | "test", trials = [shown]) =>
      findAudits(runsDir, dataset, split, trials).audits.map(({ summary }) => summary.label);
    expect(found("made", "val", [shown, madeTrial(madeSpec("token", 1), undefined)])).toEqual(["film"]);
    expect(found("made", "val", [madeTrial(madeSpec("token", 1), undefined)])).toEqual([]);
    expect(found("d2", "val")).toEqual([]);
    expect(found("made", "test")).toEqual([]);
  });

  test("by the name that the sweep gives the configuration", async () => {
    const runsDir = tempFolder();
    await addAudit(runsDir, madeAudit(madeAuditSummary({ label: "elsewhere" }), [attempt]));
    const [audit] = findAudits(runsDir, "made", "val", [shown]).audits;
    expect(audit).toMatchObject({ isEarlier: false, summary: { label: "film" } });
  });

  test("after another training, and says so in place of its figures", async () => {
    const runsDir = tempFolder();
    const earlier = { ...attempt, finished_at: "2020-01-01T00:00:00.000Z" };
    await addAudit(runsDir, madeAudit(madeAuditSummary(), [earlier], "film-old"));
    const { audits } = findAudits(runsDir, "made", "val", [shown]);
    expect(audits).toMatchObject([{ name: "film-old", isEarlier: true }]);
    const text = otherRemarks(madeInput([{ label: "film", acc: [0.5] }], { audits })).join(" ");
    expect(text).toMatch(/audit of film \(film-old\) is of an earlier training/);
    expect(text).not.toContain("ignores word order");
    // One of the shown training counts before it, although it is older.
    const current = await addAudit(runsDir, madeAudit(madeAuditSummary(), [attempt], "film-new"));
    utimesSync(join(current.folder, "audit.json"), 1, 1);
    const both = findAudits(runsDir, "made", "val", [shown]).audits;
    expect(both).toMatchObject([{ name: "film-new", isEarlier: false }]);
    expect(otherRemarks(madeInput([{ label: "film", acc: [0.5] }], { audits: both })).join(" ")).toMatch(
      /film ignores word order.*\(audit\)/,
    );
  });

  test("of an earlier version, which does not name the training", async () => {
    const runsDir = tempFolder();
    const audit = madeAudit(madeAuditSummary(), [attempt]);
    const [model] = audit.models;
    if (model !== undefined) delete model.attempts;
    await addAudit(runsDir, audit);
    expect(findAudits(runsDir, "made", "val", [shown]).audits).toMatchObject([{ isEarlier: true }]);
  });

  test("beside damaged ones, which are named", async () => {
    const runsDir = tempFolder();
    await addAudit(runsDir, madeAudit(madeAuditSummary(), [attempt]));
    for (const [name, text] of [
      ["half", '{"schema_version": 1, "na'],
      ["other", "{}"],
      ["future", '{"schema_version": 99}'],
    ]) {
      const store = new AuditStore(runsDir, name ?? "");
      mkdirSync(store.folder);
      writeFileSync(join(store.folder, "audit.json"), text ?? "");
    }
    mkdirSync(join(runsDir, "audits", "folder", "audit.json"), { recursive: true });
    mkdirSync(join(runsDir, "audits", "started"));
    writeFileSync(join(runsDir, "audits", "stray.txt"), "");
    const { audits, problems } = findAudits(runsDir, "made", "val", [shown]);
    expect(audits).toHaveLength(1);
    for (const name of ["half", "other", "future", "folder"])
      expect(problems.join("\n")).toContain(join(name, "audit.json"));
    expect(problems).toHaveLength(4);
    expect(allAudits(runsDir)).toHaveLength(6);
  });
});

test("the answers of an attempt to the questions of a seed are one look at test", () => {
  const runsDir = tempFolder();
  const dataset = { id: "made", name: "mine", root: "/data", split_by: "own" } as const;
  const run = { runsDir, commandLine: "cliprpn audit film" };
  const keys = ["0123456789abcdef", "0123456789abcde0"];
  recordAuditLook(dataset, "test", keys, run);
  recordAuditLook(dataset, "test", keys, run);
  expect(countLooks(runsDir, "made", "test")).toBe(1);
  recordAuditLook(dataset, "test", ["0123456789abcde1", ...keys], run);
  recordAuditLook(dataset, "val", ["0123456789abcde2"], run);
  expect(countLooks(runsDir, "made", "test")).toBe(2);
  expect(countLooks(runsDir, "made", "val")).toBe(0);
});

test("the name of an audit has only letters, digits and hyphens", () => {
  expect(auditName("fusion:film, 2", "demo", "val")).toBe("fusion-film-2-demo-val");
  expect(auditName("x".repeat(80), "demo", "val")).toMatch(/^audit-[0-9a-f]{8}$/);
});
