import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../src/contract/check.ts";
import { changedFiles, codeHash, codeHashes, codeOf } from "../../src/contract/code-identity.ts";
import type { CodeManifest } from "../../src/contract/generated/types.ts";
import { packageRoot } from "../../src/package-root.ts";
import { listCodeFiles } from "../../tools/list-code-files.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const sources = join(packageRoot, "python/cliprpn");

describe("the list of the code that decides a result", () => {
  test("is up to date", async () => {
    const committed = JSON.parse(readFileSync(join(sources, "code_files.json"), "utf8"));
    expect(await listCodeFiles(testPython())).toEqual(committed);
  });

  test("has what computes, and nothing that only prepares, shows or reports", async () => {
    const { cliprpn, baseline } = await listCodeFiles(testPython());
    expect(cliprpn?.files).toEqual(
      expect.arrayContaining(["models/rpn.py", "trials/training.py", "features/frozen.py", "metrics.py"]),
    );
    expect(cliprpn?.files).toEqual(
      expect.arrayContaining(["seeding.py", "data/views/wording.py", "boxes.py"]),
    );
    expect(baseline?.files).toEqual(
      expect.arrayContaining([
        "detectors/yolo.py",
        "ranking/scoring.py",
        "trials/baseline.py",
        "models/rpn.py",
      ]),
    );
    expect(cliprpn?.packages).toEqual(expect.arrayContaining(["torch", "numpy", "open-clip-torch"]));
    expect(baseline?.packages).toEqual(expect.arrayContaining(["ultralytics", "onnxruntime", "pillow"]));
    const others =
      /^(bridge|figures|tiny|contract|data\/rows)\/|golden|ground|importer|export|refcoco|tables/;
    expect(
      [...(cliprpn?.files ?? []), ...(baseline?.files ?? [])].filter((file) => others.test(file)),
    ).toEqual([]);
    expect(cliprpn?.files.filter((file) => /^(detectors|ranking)\//.test(file))).toEqual([]);
    expect(baseline?.files).not.toContain("trials/training.py");
  });

  test("follows an import inside a function, of a package, and of another package", async () => {
    const folder = copiedSources();
    writeFileSync(join(folder, "late.py"), "import os\nimport onnxruntime\n");
    appendFileSync(
      join(folder, "geometry.py"),
      "\n\ndef late():\n    from cliprpn import late\n    from cliprpn.figures.setting import x\n",
    );
    const before = (await listCodeFiles(testPython())).cliprpn;
    const after = (await listCodeFiles(testPython(), folder)).cliprpn;
    const added = after?.files.filter((file) => !before?.files.includes(file));
    expect(added).toEqual(expect.arrayContaining(["late.py", "figures/__init__.py", "figures/setting.py"]));
    expect(after?.packages).toContain("onnxruntime");
  });

  test("is refused if a package is unknown, or an exclusion no longer applies", async () => {
    const unknown = copiedSources();
    appendFileSync(join(unknown, "geometry.py"), "\nimport scipy\n");
    await expect(listCodeFiles(testPython(), unknown)).rejects.toThrow(/scipy/);
    const unused = copiedSources();
    const file = join(unused, "models/cliprpn.py");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^from cliprpn\.models\.negatives.*$/m, ""));
    await expect(listCodeFiles(testPython(), unused)).rejects.toThrow(/models\/negatives\.py/);
  });
});

describe.each(["cliprpn", "baseline"] as const)("the manifest of %s", (kind) => {
  const manifest = codeOf(kind);

  test("is valid and has every listed file and package", async () => {
    expect(check("CodeManifest", manifest, "the manifest")).toBe(manifest);
    const listed = (await listCodeFiles(testPython()))[kind];
    expect(Object.keys(manifest.files)).toEqual(listed?.files);
    expect(Object.keys(manifest.packages)).toEqual(listed?.packages);
    expect(Object.keys(manifest.files).filter((file) => !existsSync(join(sources, file)))).toEqual([]);
  });

  test("has the versions of the lock file, without its hashes and comments", () => {
    expect(manifest.packages.torch).toMatch(/^\d+\.\d+\.\d+$/);
    // One version for each range of versions of Python.
    expect(manifest.packages.numpy).toMatch(/^\d+\.\d+\.\d+(, \d+\.\d+\.\d+)+$/);
  });

  test("has a hash that depends on every value, and not on their order", () => {
    const hash = codeHash(manifest);
    expect(hash).toBe(codeHashes()[kind]);
    const reversed = { ...manifest, files: Object.fromEntries(Object.entries(manifest.files).reverse()) };
    expect(codeHash(reversed)).toBe(hash);
    const other = kind === "cliprpn" ? "baseline" : "cliprpn";
    const changed: CodeManifest[] = [
      { ...manifest, kind: other },
      { ...manifest, files: { ...manifest.files, "boxes.py": "0".repeat(64) } },
      { ...manifest, files: { ...manifest.files, "new.py": "0".repeat(64) } },
      { ...manifest, packages: { ...manifest.packages, torch: "9.9.9" } },
    ];
    expect(new Set([hash, ...changed.map(codeHash)]).size).toBe(5);
  });
});

test("what changed is told by file and package", () => {
  const old: CodeManifest = {
    schema_version: 1,
    kind: "cliprpn",
    files: { "a.py": "1", "b.py": "2", "c.py": "3" },
    packages: { torch: "2.14.0", numpy: "2.4.6", regex: "1" },
  };
  const current: CodeManifest = {
    ...old,
    files: { "a.py": "1", "c.py": "4", "d.py": "5" },
    packages: { torch: "2.15.0", numpy: "2.4.6", ftfy: "6" },
  };
  expect(changedFiles(old, old)).toEqual([]);
  expect(changedFiles(old, current)).toEqual([
    "b.py (removed)",
    "c.py",
    "d.py (added)",
    "ftfy none -> 6",
    "regex 1 -> none",
    "torch 2.14.0 -> 2.15.0",
  ]);
});

function copiedSources(): string {
  const folder = join(tempFolder(), "cliprpn");
  cpSync(sources, folder, {
    recursive: true,
    filter: (path) => !path.includes("weights") || path.endsWith(".py"),
  });
  return folder;
}
