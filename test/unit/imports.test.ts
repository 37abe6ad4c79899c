import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";

/**
 * What each module of `src/` may import besides its own files. A module is a folder, or a file directly in `src/`; the nearest
 * folder with a row counts.
 */
const typescript: Record<string, string[]> = {
  // The exit code of a second Ctrl-C.
  cli: ["main", "contract"],
  main: ["commands", "environment", "contract", "terminal", "base", "package-root"],
  commands: [
    "audit",
    "compare",
    "preflight",
    "runs",
    "sweep",
    "engine",
    "report",
    "store",
    "dataset",
    "dataset/card",
    "experiment",
    "environment",
    "contract",
    "base",
    "package-root",
  ],
  sweep: [
    "engine",
    "engine/local",
    "engine/queue",
    "engine/slurm",
    "engine/ray",
    "report",
    "store",
    "dataset",
    "experiment",
    "environment",
    "contract",
    "terminal/terminal",
    "base",
    "package-root",
  ],
  // Outside models and trials on the same data: for compare and report.
  // Whether models read the expression: for audit.
  audit: ["compare", "sweep", "engine", "report", "store", "environment", "experiment", "contract", "base"],
  compare: ["sweep", "engine", "report", "store", "dataset", "experiment", "environment", "contract", "base"],
  // Whether the machine, the weights and the data work, before a sweep.
  preflight: [
    "sweep",
    "engine",
    "report",
    "store",
    "dataset",
    "dataset/card",
    "contract",
    "base",
    "package-root",
  ],
  // What the runs folder contains: for list, show, diff and gc.
  runs: ["sweep", "report", "store", "dataset", "experiment", "contract", "base"],
  experiment: ["contract", "base", "package-root"],
  engine: ["contract"],
  "engine/local": ["engine", "worker", "contract"],
  // Workers on other machines that share a folder.
  "engine/queue": ["engine", "contract", "base", "package-root"],
  "engine/slurm": ["engine/queue", "contract", "base"],
  "engine/ray": ["engine/queue", "contract", "base", "package-root"],
  worker: ["bridge", "contract", "base", "package-root"],
  bridge: [],
  dataset: ["contract", "base", "package-root"],
  // The card uses the report's markdown, and the contact sheet its drawing.
  "dataset/card": ["dataset", "report", "contract", "base"],
  // The page's script and style are files of the package.
  report: ["contract", "base", "package-root"],
  store: ["contract", "base"],
  // `terminal` is passed down: only its type is imported.
  environment: ["contract", "terminal/terminal", "base", "package-root"],
  terminal: ["base"],
  contract: ["package-root"],
  // Throws errors for the user.
  base: ["contract/errors"],
  "package-root": [],
};

/** Packages and built-ins that only one file may use. */
const only: [what: string, pattern: RegExp, files: string[]][] = [
  ["pythonia", /["']pythonia["']/, ["bridge/bridge.ts"]],
  ["yargs", /["']yargs["']/, ["commands/register.ts"]],
  ["the exit code", /process\.exitCode/, ["cli.ts"]],
  // A second Ctrl-C exits immediately.
  ["process.exit", /process\.exit\(/, ["cli.ts"]],
  [
    "stdout and stderr",
    /(?<![.#\w])process\.(stdout|stderr)|\{[^}]*\bstderr\b[^}]*\} = process\b/,
    ["cli.ts"],
  ],
  // No name of a file: processes of two machines that share a disk may have the same id.
  [
    "its process id",
    /(?<!#)process\.pid\b/,
    ["base/process-identity.ts", "dataset/images/decoder-main.ts", "worker/worker-main.ts"],
  ],
  // An error of a promise that is not awaited would end the process.
  ["`void` in place of a handler", /\bvoid [a-z]\w*(\?\.|[.(])/, []],
  // Its temporary files are named by process id.
  ["write-file-atomic", /["']write-file-atomic["']/, []],
  // The console of a worker is a pipe into the trial's log.
  ["the console", /\bconsole\./, ["worker/worker-main.ts"]],
];

/**
 * The layers of `python/cliprpn`, top first: a module imports from lower layers and from its own folder.
 */
const python: string[][] = [
  ["worker"],
  ["bridge"],
  ["audit", "preflight"],
  ["trials", "joint"],
  ["figures", "answers"],
  ["detectors"],
  ["inference"],
  ["ranking"],
  ["features"],
  ["data"],
  ["storage"],
  ["pipeline"],
  ["models"],
  ["metrics", "statistics"],
  ["boxes", "box_arrays", "geometry"],
  ["out_of_memory"],
  ["code_identity", "devices", "memory", "run_context"],
  ["arithmetic"],
  ["contract", "errors", "seeding"],
];

/** Modules that take tensors and plain arguments, never a path, a file or the contract. */
const tensorsOnly = ["models", "metrics", "statistics", "boxes", "box_arrays", "geometry"];
const pathLike =
  /^\s*(?:from|import) (?:pathlib|os|json|pydantic|cliprpn\.(?:contract|errors|data|features|storage))\b/m;

describe("src/", () => {
  const files = sources("src", ".ts").filter((file) => !file.startsWith("contract/generated/"));

  test("every import is in the table", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !mayImport(file, target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("every module has a row, and every row a module", () => {
    const modules = new Set(files.map((file) => moduleOf(file)));
    expect([...modules].sort()).toEqual(Object.keys(typescript).sort());
  });

  test("every edge of the table is used", () => {
    const used = new Set(
      files.flatMap((file) =>
        importsOf(file)
          .map((target) => edgeOf(file, target))
          .filter(Boolean),
      ),
    );
    const edges = Object.entries(typescript).flatMap(([module, targets]) =>
      targets.map((to) => `${module} > ${to}`),
    );
    expect(edges.filter((edge) => !used.has(edge))).toEqual([]);
  });

  test("there are no import cycles", () => {
    expect(cycles(new Map(files.map((file) => [file, importsOf(file)])))).toEqual([]);
  });

  test("the folders of sweep/ import each other one way", () => {
    expect(cycles(foldersOf("sweep", files))).toEqual([]);
  });

  test.each(only)("%s is used in one place only", (_, pattern, places) => {
    const users = files.filter((file) => pattern.test(code(`src/${file}`)));
    expect(users).toEqual(places);
  });
});

describe("python/cliprpn/", () => {
  const files = sources("python/cliprpn", ".py").filter(
    (file) => file !== "__init__.py" && !file.startsWith("tiny/"),
  );

  test("every import goes to a lower layer", () => {
    const wrong = files.flatMap((file) =>
      pythonImports(file)
        .filter((target) => !isBelow(file, target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("every module has a layer, and every layer a module", () => {
    const named = new Set(files.map((file) => python.flat()[nameIndex(file)]));
    expect([...named].sort()).toEqual(python.flat().sort());
  });

  test("models and metrics see tensors and plain arguments only", () => {
    const wrong = files.filter(
      (file) =>
        tensorsOnly.includes(python.flat()[nameIndex(file)] ?? "") &&
        pathLike.test(code(`python/cliprpn/${file}`)),
    );
    expect(wrong).toEqual([]);
  });

  test("cliprpn-tiny's training is independent", () => {
    const imported = sources("python/cliprpn/tiny", ".py").flatMap((file) => pythonImports(`tiny/${file}`));
    const others = imported.filter((target) => !target.startsWith("tiny/") && target !== "memory.py");
    expect(others).toEqual([]);
    expect(files.flatMap(pythonImports).filter((target) => target.startsWith("tiny/"))).toEqual([]);
  });

  test("there are no import cycles", () => {
    expect(cycles(new Map(files.map((file) => [file, pythonImports(file)])))).toEqual([]);
  });

  test("no module exits the process or catches every exception", () => {
    const wrong = files.filter((file) =>
      /^\s*sys\.exit\(|^\s*except:|^from \S+ import \*/m.test(code(`python/cliprpn/${file}`)),
    );
    expect(wrong).toEqual([]);
  });
});

test("tests start the command as users do, from the build", () => {
  const entry = ["src", "cli.ts"].join("/");
  expect(sources("test", ".ts").filter((file) => code(`test/${file}`).includes(entry))).toEqual([]);
});

test("the tables can fail", () => {
  expect(mayImport("report/charts/baseline-errors.ts", "engine/engine.ts")).toBe(false);
  expect(mayImport("engine/engine.ts", "worker/worker.ts")).toBe(false);
  expect(mayImport("environment/find-tools.ts", "terminal/make-terminal.ts")).toBe(false);
  expect(isBelow("models/rpn.py", "data/index.py")).toBe(false);
  expect(isBelow("models/rpn.py", "storage/weights_files.py")).toBe(false);
  expect(
    cycles(
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["b"]],
      ]),
    ),
  ).toEqual(["b > c > b"]);
  expect(pathLike.test("import torch\nfrom pathlib import Path\n")).toBe(true);
});

function sources(folder: string, ending: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** The text of a file without its comments. */
function code(file: string): string {
  const text = readFileSync(join(packageRoot, file), "utf8");
  return file.endsWith(".py")
    ? text.replace(/"""[\s\S]*?"""/g, "").replace(/(^|\s)#.*$/gm, "$1")
    : text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** Files of `src/` that a file imports, including types and dynamic imports. */
function importsOf(file: string): string[] {
  const matches = code(`src/${file}`).matchAll(/(?:from |import\(|import )"(\.[^"]+)"/g);
  return [...matches].map(([, target = ""]) => normalize(join(dirname(file), target)));
}

function moduleOf(file: string): string {
  const parts = file.replace(/\.ts$/, "").split("/");
  for (let length = parts.length; length > 1; length -= 1) {
    const module = parts.slice(0, length).join("/");
    if (module in typescript) return module;
  }
  return parts[0] ?? "";
}

/** The edge of the table that an import uses. */
function edgeOf(file: string, target: string): string | undefined {
  const module = moduleOf(file);
  const names = [target.replace(/\.ts$/, ""), moduleOf(target)];
  const to = names.find((name) => typescript[module]?.includes(name));
  return to === undefined ? undefined : `${module} > ${to}`;
}

function mayImport(file: string, target: string): boolean {
  const allowed = [moduleOf(file), ...(typescript[moduleOf(file)] ?? [])];
  return allowed.includes(moduleOf(target)) || allowed.includes(target.replace(/\.ts$/, ""));
}

/** `data/index.py` for `from cliprpn.data.index import ...`. */
function pythonImports(file: string): string[] {
  const text = code(`python/cliprpn/${file}`);
  const names = [
    ...[...text.matchAll(/^\s*from cliprpn((?:\.\w+)+) import/gm)].map(([, name = ""]) => name.slice(1)),
    ...[...text.matchAll(/^\s*import cliprpn\.([\w.]+)/gm)].map(([, name = ""]) => name),
    ...[...text.matchAll(/^\s*from cliprpn import \(?([^)\n]+)/gm)].flatMap(([, list = ""]) =>
      list.split(/\s*,\s*/),
    ),
  ];
  return names.map((name) => moduleFile(name.replaceAll(".", "/")));
}

const pythonFiles = new Set(sources("python/cliprpn", ".py"));

function moduleFile(name: string): string {
  return pythonFiles.has(`${name}.py`) ? `${name}.py` : `${name}/__init__.py`;
}

function nameIndex(file: string): number {
  const name = file.replace(/\.py$/, "");
  const names = python.flat();
  const index = names.indexOf(name);
  return index === -1 ? names.indexOf(name.split("/")[0] ?? "") : index;
}

function isBelow(file: string, target: string): boolean {
  const [from, to] = [file, target].map((name) => python.flat()[nameIndex(name)]);
  const layer = (name: string | undefined): number =>
    python.findIndex((names) => name !== undefined && names.includes(name));
  return (from === to && file.includes("/")) || layer(to) > layer(from);
}

/** Which folders of a module the files of each folder import. */
function foldersOf(module: string, files: readonly string[]): Map<string, string[]> {
  const folderOf = (file: string): string => file.split("/").slice(0, 2).join("/");
  const inFolders = files.filter((file) => file.startsWith(`${module}/`) && file.split("/").length > 2);
  const folders = new Map<string, string[]>();
  for (const file of inFolders) {
    const targets = importsOf(file)
      .map(folderOf)
      .filter((target) => target !== folderOf(file));
    folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), ...targets]);
  }
  return folders;
}

/** Every import cycle. */
function cycles(graph: Map<string, string[]>): string[] {
  const all = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) {
      all.add([...path.slice(start), file].join(" > "));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return [...all];
}
