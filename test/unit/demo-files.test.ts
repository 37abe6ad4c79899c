import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { annotationsOf } from "../../src/dataset/demo/annotations.ts";
import { type DemoImage, demoImages } from "../../src/dataset/demo/demo-images.ts";
import { type DemoManifest, generator_version, makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { pickle } from "../../src/dataset/demo/pickle.ts";
import { packageRoot } from "../../src/package-root.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const options = { seed: 3, num_images: { train: 6, val: 3, test: 3 } };

async function makeSmallDemo(
  seed = options.seed,
): Promise<{ root: string; digests: Record<string, string> }> {
  const root = join(tempFolder(), "demo");
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

test("the same seed gives the same bytes, another seed gives different ones", async () => {
  const [first, second, otherSeed] = [await makeSmallDemo(), await makeSmallDemo(), await makeSmallDemo(4)];
  expect(Object.keys(first.digests)).toHaveLength(12 + 3);
  expect(second.digests).toEqual(first.digests);
  const shared = Object.keys(first.digests).filter((file) => first.digests[file] === otherSeed.digests[file]);
  expect(shared).toEqual([]);
});

test("a generator version never changes its output: ids of datasets, features and trials depend on it", async () => {
  const { root } = await makeSmallDemo();
  const { instances_sha256, refs_sha256 } = readManifest(root);
  expect({ generator_version, instances_sha256, refs_sha256 }).toMatchInlineSnapshot(`
    {
      "generator_version": 2,
      "instances_sha256": "060c7cde234c9489e2d1d5b1fb12e81587a5ccc98374d372e19d6ba3dc3dd6d2",
      "refs_sha256": "108dca2316961f7ba872778aa8e38d150e2aa505c7210ec138bbe31e6e8784dc",
    }
  `);
});

test("Python's pickle module and the restricted unpickler read the same refs", async () => {
  const { root } = await makeSmallDemo();
  const script = `
import json, pickle, sys
from pathlib import Path
from cliprpn.data.plain_pickle import load_plain
path = Path(sys.argv[1])
refs = pickle.loads(path.read_bytes())
print(json.dumps([refs, refs == load_plain(path)]))`;
  const out = execFileSync(testPython(), ["-c", script, join(root, "annotations/refs(umd).p")], {
    encoding: "utf8",
    env: { ...process.env, PYTHONPATH: join(packageRoot, "python") },
  });
  const [refs, isSame] = JSON.parse(out);
  expect(isSame).toBe(true);
  expect(refs).toEqual(annotationsOf(allImages()).refs);
});

test("a pickle round-trips integers, floats, text, booleans, null and nesting", () => {
  const value = { a: [1, -2, 2 ** 31, 0.5, true, false, null, "é|\n", [], {}], ключ: "値" };
  const script = "import json, pickle, sys; print(json.dumps(pickle.loads(sys.stdin.buffer.read())))";
  const out = execFileSync(testPython(), ["-c", script], { input: pickle(value), encoding: "utf8" });
  expect(JSON.parse(out)).toEqual(value);
});

test("refs have RefCOCOg's fields, and exactly the two sentences of a minimal pair share a pair id", () => {
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

function readManifest(root: string): DemoManifest {
  return JSON.parse(readFileSync(join(root, "demo.json"), "utf8"));
}

interface Ref {
  ann_id: number;
  image_id: number;
  file_name: string;
  sent_ids: number[];
  sentences: { sent_id: number; sent: string; tokens: string[]; pair_id?: number }[];
}

function allImages(): DemoImage[] {
  const { seed, num_images } = options;
  const images: DemoImage[] = [];
  for (const split of ["train", "val", "test"] as const)
    images.push(...demoImages(seed, split, num_images[split], images.length + 1));
  return images;
}
