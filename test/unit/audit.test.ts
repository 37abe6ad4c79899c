import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { auditName } from "../../src/audit/run-audit.ts";
import type { AuditKind, AuditSummary, StoredAudit } from "../../src/contract/generated/types.ts";
import { auditVerdict, orderRemark } from "../../src/report/audit/audit-verdict.ts";
import { writeAudit } from "../../src/report/audit/write-audit.ts";
import { AuditStore } from "../../src/store/audit-store.ts";
import { findAudits } from "../../src/sweep/find-audits.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const interval = (mean: number) => ({ mean, low: mean - 0.01, high: mean + 0.01 });

function kind(name: AuditKind["kind"], unchanged: number, after = 0.4): AuditKind {
  return {
    kind: name,
    num_changes: 100,
    num_expressions: 100,
    num_images: 50,
    original: interval(0.5),
    acc_at_50: interval(after),
    difference: interval(after - 0.5),
    p_value: 0.01,
    p_adjusted: 0.02,
    unchanged: interval(unchanged),
    num_with_other: 0,
    moved: name === "swapped_side" ? interval(0.7) : null,
  };
}

function summaryOf(changes: Partial<AuditSummary> = {}): AuditSummary {
  return {
    schema_version: 1,
    label: "film",
    split: "val",
    num_expressions: 100,
    num_images: 50,
    num_runs: 1,
    population: "checkpoints",
    confidence: 0.95,
    seed: 0,
    acc_at_50: interval(0.5),
    kinds: [
      kind("blank", 0.1, 0.2),
      kind("shuffled", 0.97),
      kind("reversed", 0.96),
      kind("swapped_side", 0.2),
    ],
    ignores_word_order: true,
    ignores_expression: false,
    examples: [],
    ...changes,
  };
}

function auditOf(summary: AuditSummary, trial_ids = ["0123456789abcdef"]): StoredAudit {
  return {
    schema_version: 1,
    name: "film-demo-val",
    command: "cliprpn audit film",
    dataset: { id: "d1", name: "demo", split_by: "umd" },
    split: "val",
    models: [{ trial_ids, files: [], summary }],
  };
}

describe("the verdict of an audit", () => {
  test("names a model that ignores word order, with both shares", () => {
    expect(orderRemark(summaryOf())).toMatch(/film ignores word order.* 97\.0 % .* 96\.0 %/);
    expect(auditVerdict(summaryOf())).toMatch(/Without words, Acc@0\.5 is 20\.0 %.* 70\.0 % of the boxes/);
  });

  test("says that order matters, or that there are too few images", () => {
    expect(orderRemark(summaryOf({ ignores_word_order: false }))).toBeUndefined();
    expect(auditVerdict(summaryOf({ ignores_word_order: false }))).toContain("Word order matters");
    const open = auditVerdict(summaryOf({ ignores_word_order: null }));
    expect(open).toMatch(/open whether word order matters.* 97\.0\s\(96\.0\sto\s98\.0\) %/);
    const none = { ...kind("shuffled", 1), unchanged: { mean: 1, low: null, high: null } };
    const few = auditVerdict(summaryOf({ ignores_word_order: null, kinds: [none] }));
    expect(few).toContain("too few images");
    for (const text of [open, few]) expect(text).not.toContain("Word order matters");
    expect(auditVerdict(summaryOf({ ignores_expression: true }))).toContain("not above its own answers");
  });
});

test("an audit is written with its charts, its words and its images, and read again", async () => {
  const folder = tempFolder();
  const image_file = join(folder, "a.png");
  await sharp({ create: { width: 40, height: 30, channels: 3, background: "#888" } })
    .png()
    .toFile(image_file);
  const box: [number, number, number, number] = [5, 5, 20, 20];
  const sentence = "the <b>cup | mug</b>";
  const store = new AuditStore(folder, "film-demo-val");
  store.open();
  const audit = auditOf(
    summaryOf({
      examples: [
        {
          sent_id: 7,
          sentence,
          image_file,
          upright: false,
          gt_box_xyxy: box,
          pred_box_xyxy: box,
          iou: 1,
          words: sentence.split(" ").map((word) => ({ word, iou: 0.5 })),
        },
      ],
    }),
  );
  const text = readFileSync(await writeAudit(audit, store.folder), "utf8");
  expect(text).toContain("| shuffled words | 100 | 50.0 |");
  expect(text).not.toMatch(/(?<!\\)<b>/);
  for (const name of ["AUDIT.html", "audit/kinds-1.svg", "audit/words-1.svg", "audit/example-1-1.png"])
    expect(existsSync(join(store.folder, name)), name).toBe(true);
  expect(store.read()).toEqual(audit);
});

test("a report finds the audits of the trials that it shows, on its data and split", async () => {
  const runsDir = tempFolder();
  const store = new AuditStore(runsDir, "film-demo-val");
  store.open();
  await writeAudit(auditOf(summaryOf()), store.folder);
  const found = (dataset: string, split: "val" | "test", ids: string[]) =>
    findAudits(runsDir, dataset, split, new Set(ids)).map(({ label }) => label);
  expect(found("d1", "val", ["0123456789abcdef", "f"])).toEqual(["film"]);
  expect(found("d1", "val", ["f"])).toEqual([]);
  expect(found("d2", "val", ["0123456789abcdef"])).toEqual([]);
  expect(found("d1", "test", ["0123456789abcdef"])).toEqual([]);
});

test("the name of an audit has only letters, digits and hyphens", () => {
  expect(auditName("fusion:film, 2", "demo", "val")).toBe("fusion-film-2-demo-val");
  expect(auditName("x".repeat(80), "demo", "val")).toMatch(/^audit-[0-9a-f]{8}$/);
});
