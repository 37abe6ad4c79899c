import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../src/contract/check.ts";
import { changedFiles, codeHash, codeHashes, codeOf } from "../../src/contract/code-identity.ts";
import type { CodeHashes, CodeManifest } from "../../src/contract/generated/types.ts";
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
      "\n\ndef late():\n    from cliprpn import late\n    from cliprpn.figures.crops import x\n",
    );
    const before = (await listCodeFiles(testPython())).cliprpn;
    const after = (await listCodeFiles(testPython(), folder)).cliprpn;
    const added = after?.files.filter((file) => !before?.files.includes(file));
    expect(added).toEqual(expect.arrayContaining(["late.py", "figures/__init__.py", "figures/crops.py"]));
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

describe("Python", () => {
  test("computes the same hashes", () => {
    expect(pythonHashes(packageRoot)).toEqual(codeHashes());
  });

  test("has another hash for every kind that an edited file or another version decides", () => {
    const ours = codeHashes();
    const root = copiedPackage();
    expect(pythonHashes(root)).toEqual(ours);
    appendFileSync(join(root, "python/cliprpn/errors.py"), "# Decides no result.\n");
    expect(pythonHashes(root)).toEqual(ours);
    appendFileSync(join(root, "python/cliprpn/trials/training.py"), "# Only a ClipRPN is trained.\n");
    const trained = pythonHashes(root);
    expect([trained.cliprpn === ours.cliprpn, trained.baseline]).toEqual([false, ours.baseline]);
    const lock = join(root, "env/extra-yolo.txt");
    writeFileSync(lock, readFileSync(lock, "utf8").replace(/^ultralytics==\S+/m, "ultralytics==9.9.9"));
    const pinned = pythonHashes(root);
    expect([pinned.cliprpn, pinned.baseline === ours.baseline]).toEqual([trained.cliprpn, false]);
  });

  test("names a file or a version that is missing", () => {
    const root = copiedPackage();
    rmSync(join(root, "env/extra-onnx.txt"));
    expect(() => pythonHashes(root)).toThrow(/environment_broken .*env\/extra-onnx\.txt.*reinstall/);
    const other = copiedPackage();
    for (const lock of ["runtime", "extra-onnx", "extra-yolo"])
      writeFileSync(join(other, `env/${lock}.txt`), "a==1\n");
    expect(() => pythonHashes(other)).toThrow(/environment_broken .*ftfy.*reinstall/);
  });

  test("has imported every file that decides a result before it hashes, except one that it checks later", () => {
    const code = `import json, sys
from cliprpn.code_identity import CODE_FOLDER
from cliprpn.bridge import methods
loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
listed = json.loads((CODE_FOLDER / "code_files.json").read_text())
print(json.dumps(sorted({file for kind in listed.values() for file in kind["files"] if str(CODE_FOLDER / file) not in loaded})))`;
    expect(JSON.parse(runPython(packageRoot, code))).toEqual(["detectors/yolo_trainer.py"]);
  });

  test("refuses a module that changed between the hash and its import", () => {
    const root = copiedPackage();
    const code = `import sys
from cliprpn.code_identity import CODE_FOLDER, code_hashes, require_unchanged
from cliprpn.errors import CliprpnError
code_hashes()
require_unchanged("boxes.py")
with open(CODE_FOLDER / "boxes.py", "a") as file:
    file.write("# Edited.\\n")
try:
    require_unchanged("boxes.py")
except CliprpnError as error:
    print(error.code, error.message)`;
    expect(runPython(root, code)).toMatch(/^contract_violation .*boxes\.py.*run the same command again/);
  });
});

test("what was edited since the start is named", () => {
  const root = copiedPackage();
  cpSync(join(packageRoot, "src"), join(root, "src"), { recursive: true });
  cpSync(join(packageRoot, "package.json"), join(root, "package.json"));
  symlinkSync(join(packageRoot, "node_modules"), join(root, "node_modules"));
  const code = `import { appendFileSync } from "node:fs";
import { changesSinceStart, codeHashes } from "./src/contract/code-identity.ts";
const before = JSON.stringify(codeHashes());
appendFileSync("python/cliprpn/boxes.py", "# Edited.");
console.log(JSON.stringify([changesSinceStart(), JSON.stringify(codeHashes()) === before]));`;
  const out = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    cwd: root,
    encoding: "utf8",
  });
  expect(JSON.parse(out)).toEqual([["boxes.py"], true]);
});

function pythonHashes(root: string): CodeHashes {
  const code = `import json
from cliprpn.code_identity import code_hashes
from cliprpn.errors import CliprpnError
try:
    print(json.dumps(code_hashes()))
except CliprpnError as error:
    raise SystemExit(f"{error.code} {error.message}")`;
  return JSON.parse(runPython(root, code));
}

function runPython(root: string, code: string): string {
  return execFileSync(testPython(), ["-c", code], {
    encoding: "utf8",
    env: { ...process.env, PYTHONPATH: join(root, "python"), PYTHONDONTWRITEBYTECODE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** A folder with `python/cliprpn` and `env`, as in the package. */
function copiedPackage(): string {
  const root = tempFolder();
  cpSync(copiedSources(), join(root, "python/cliprpn"), { recursive: true });
  cpSync(join(packageRoot, "env"), join(root, "env"), { recursive: true });
  return root;
}

function copiedSources(): string {
  const folder = join(tempFolder(), "cliprpn");
  cpSync(sources, folder, {
    recursive: true,
    filter: (path) => !path.includes("weights") || path.endsWith(".py"),
  });
  return folder;
}
