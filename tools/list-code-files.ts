import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../src/package-root.ts";

/** Which code decides the result of a trial: for each kind, Python files, packages, and the lock files that pin these. */
type CodeFiles = Record<string, { files: string[]; packages: string[]; locks: string[] }>;

/** The modules that run a trial of a kind, and that evaluate its model on another split later. */
const kinds = {
  cliprpn: { run: ["trials/trial.py", "trials/cliprpn.py", "trials/evaluate.py"], locks: ["runtime"] },
  baseline: {
    run: ["trials/trial.py", "trials/baseline.py", "trials/evaluate.py"],
    locks: ["runtime", "extra-onnx", "extra-yolo"],
  },
};

/** Files, or folders that end with `/`, that cannot change a result although a trial imports them, each with the reason. */
const excluded: Record<keyof typeof kinds | "both", Record<string, string>> = {
  both: {
    "contract/":
      "types of messages, generated again with every schema; the values in them are part of a trial's id",
    "code_identity.py": "computes the hash of this list",
    "data/annotations.py": "records for the preparation of a dataset, which is identified by its content",
    "data/long_expressions.py": "warns of expressions that are cut off, and changes none",
    "data/read_predictions.py":
      "reads stored predictions for figures; what is predicted does not depend on it",
    "devices.py": "selects and describes the device; a device is not part of a trial's identity",
    "errors.py": "how an error is described",
    "inference/fusion_errors.py": "how a failure of a custom fusion is described",
    "trials/failures.py": "how a failed trial is described",
    "inference/hit_probability.py": "how sure `ground` is of a box, which changes no box",
    "run_context.py": "progress, warnings and stop requests",
    "storage/durable.py": "how files are written, not what is in them",
    "storage/lock.py": "which process waits for another",
    "storage/specs.py": "reads the values that are part of a trial's id",
    "storage/unused_copies.py": "which copies a machine keeps, not what is in them",
    "trials/result.py": "names the parts of a result",
  },
  cliprpn: { "trials/baseline.py": "runs the other kind" },
  baseline: {
    "trials/cliprpn.py": "runs the other kind",
    "features/view_features.py": "augmented views, which only training reads",
    "models/negatives.py": "a loss, and a baseline trains no ClipRPN",
  },
};

/**
 * The distribution of each package that a trial may import, with those below it that compute. Versions of CUDA's libraries are
 * fixed by torch's.
 */
const distributions: Record<string, string[]> = {
  PIL: ["pillow"],
  cv2: ["opencv-python-headless"],
  numpy: ["numpy"],
  onnxruntime: ["onnxruntime"],
  // Its tokenizer repairs text with ftfy and splits it with regex.
  open_clip: ["open-clip-torch", "ftfy", "regex"],
  pyarrow: ["pyarrow"],
  // Checks messages.
  pydantic: [],
  safetensors: ["safetensors"],
  torch: ["torch"],
  torchvision: ["torchvision"],
  ultralytics: ["ultralytics"],
};

/**
 * The content of `code_files.json`: the modules that a trial imports, directly or not, without the excluded ones.
 *
 * @param python an interpreter.
 * @param folder the Python package.
 */
export async function listCodeFiles(
  python: string,
  folder = join(packageRoot, "python/cliprpn"),
): Promise<CodeFiles> {
  const { stdout } = await execa(python, [join(packageRoot, "tools/python_imports.py"), folder]);
  const imports: Imports = JSON.parse(stdout);
  const unused = new Set(Object.values(excluded).flatMap((reasons) => Object.keys(reasons)));
  const entries = Object.entries(kinds).map(([kind, { run, locks }]) => {
    const without = { ...excluded.both, ...excluded[kind as keyof typeof kinds] };
    const files = closure(run, imports, (file) => {
      const name = Object.keys(without).find((name) =>
        name.endsWith("/") ? file.startsWith(name) : file === name,
      );
      if (name !== undefined) unused.delete(name);
      return name !== undefined;
    });
    return [kind, { files, packages: packagesOf(files, imports), locks }];
  });
  if (unused.size > 0) throw new Error(`excluded, but no trial imports it: ${[...unused].join(", ")}`);
  return Object.fromEntries(entries);
}

type Imports = Record<string, { files: string[]; packages: string[] }>;

function closure(run: string[], imports: Imports, isExcluded: (file: string) => boolean): string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file) || isExcluded(file)) return;
    const imported = imports[file];
    if (imported === undefined) throw new Error(`${file}: expected a file of the Python package, found none`);
    found.add(file);
    imported.files.forEach(visit);
  };
  run.forEach(visit);
  return [...found].sort();
}

function packagesOf(files: string[], imports: Imports): string[] {
  const imported = new Set(files.flatMap((file) => imports[file]?.packages ?? []));
  const names = [...imported].flatMap((name) => {
    const known = distributions[name];
    if (known === undefined) throw new Error(`a trial imports ${name}: add it to the distributions`);
    return known;
  });
  return [...new Set(names)].sort();
}
