import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../src/base/package-root.ts";
import { annotationsOf } from "../../src/dataset/demo/annotations.ts";
import { type DemoImage, demoImages } from "../../src/dataset/demo/images.ts";
import { generator_version, makeDemo, readDemo } from "../../src/dataset/demo/make-demo.ts";
import { pickle } from "../../src/dataset/demo/pickle.ts";
import { testPython } from "../helpers/python.ts";

const options = { seed: 3, num_images: { train: 6, val: 3, test: 3 } };

async function demo(seed = options.seed): Promise<{ root: string; digests: Record<string, string> }> {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-demo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, "demo");
  await makeDemo(root, { ...options, seed }, () => undefined);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
    statSync(join(root, file)).isFile(),
  );
  const digest = (file: string): string =>
    createHash("sha256")
      .update(readFileSync(join(root, file)))
      .digest("hex");
  return { root, digests: Object.fromEntries(files.sort().map((file) => [file, digest(file)])) };
}

test("a seed draws the same bytes each time, another seed others", async () => {
  const [one, again, other] = [await demo(), await demo(), await demo(4)];
  expect(Object.keys(one.digests)).toHaveLength(12 + 3);
  expect(again.digests).toEqual(one.digests);
  const shared = Object.keys(one.digests).filter((file) => one.digests[file] === other.digests[file]);
  expect(shared).toEqual([]);
});

test("what a generator version says does not change: data sets, features and trials are named by it", async () => {
  const { root } = await demo();
  const { instances_sha256, refs_sha256 } = await readDemo(root);
  expect({ generator_version, instances_sha256, refs_sha256 }).toMatchInlineSnapshot(`
    {
      "generator_version": 2,
      "instances_sha256": "060c7cde234c9489e2d1d5b1fb12e81587a5ccc98374d372e19d6ba3dc3dd6d2",
      "refs_sha256": "108dca2316961f7ba872778aa8e38d150e2aa505c7210ec138bbe31e6e8784dc",
    }
  `);
});

test("Python's own pickle and ours of plain values read the refs", async () => {
  const { root } = await demo();
  const script = `
import json, pickle, sys
from pathlib import Path
from cliprpn.data.plain_pickle import load_plain
path = Path(sys.argv[1])
theirs = pickle.loads(path.read_bytes())
print(json.dumps([theirs, theirs == load_plain(path)]))`;
  const out = execFileSync(testPython(), ["-c", script, join(root, "annotations/refs(umd).p")], {
    encoding: "utf8",
    env: { ...process.env, PYTHONPATH: join(packageRoot, "python") },
  });
  const [refs, same] = JSON.parse(out);
  expect(same).toBe(true);
  expect(refs).toEqual(annotationsOf(pictures()).refs);
});

test("a pickle keeps whole numbers, fractions, text, null and nesting apart", () => {
  const value = { a: [1, -2, 2 ** 31, 0.5, true, false, null, "é|\n", [], {}], ключ: "値" };
  const script = "import json, pickle, sys; print(json.dumps(pickle.loads(sys.stdin.buffer.read())))";
  const out = execFileSync("python3", ["-c", script], { input: pickle(value), encoding: "utf8" });
  expect(JSON.parse(out)).toEqual(value);
});

test("refs have RefCOCOg's fields; a pair's two sentences share an id and nothing else does", () => {
  const { refs } = annotationsOf([...demoImages(0, "train", 200, 1)]);
  const pairs = new Map<number, { ann_id: number; image_id: number }[]>();
  const sentIds = new Set<number>();
  for (const ref of refs as unknown as Ref[]) {
    expect(ref.file_name).toMatch(new RegExp(`_${ref.ann_id}\\.png$`));
    expect(ref.sent_ids).toEqual(ref.sentences.map(({ sent_id }) => sent_id));
    for (const { sent_id, sent, tokens, pair_id } of ref.sentences) {
      expect(sentIds.has(sent_id)).toBe(false);
      sentIds.add(sent_id);
      expect(tokens.join(" ").toLowerCase()).toBe(sent);
      if (pair_id !== undefined) pairs.set(pair_id, [...(pairs.get(pair_id) ?? []), ref]);
    }
  }
  expect(pairs.size).toBeGreaterThan(50);
  for (const pair of pairs.values()) {
    expect(pair).toHaveLength(2);
    expect(new Set(pair.map(({ image_id }) => image_id)).size).toBe(1);
    expect(new Set(pair.map(({ ann_id }) => ann_id)).size).toBe(2);
  }
});

interface Ref {
  ann_id: number;
  image_id: number;
  file_name: string;
  sent_ids: number[];
  sentences: { sent_id: number; sent: string; tokens: string[]; pair_id?: number }[];
}

function pictures(): DemoImage[] {
  const { seed, num_images } = options;
  const all: DemoImage[] = [];
  for (const split of ["train", "val", "test"] as const)
    all.push(...demoImages(seed, split, num_images[split], all.length + 1));
  return all;
}
