/** The tarball of `npm pack`, installed into an empty folder. Needs the package registry, or npm's cache. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import type { CommandResult } from "../helpers/cli.ts";
import { testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("pack");
const app = join(folder, "app");
let packed: { size: number; files: { path: string }[] };

function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): CommandResult {
  const result = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 280_000,
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** Runs the installed command; `--no-install` keeps npx from downloading another cliprpn. */
function npx(args: string[], env: NodeJS.ProcessEnv = {}): CommandResult {
  return run("npx", ["--no-install", "cliprpn", ...args], app, {
    CLIPRPN_CACHE: join(folder, "cache"),
    PYTHONPATH: "",
    ...env,
  });
}

beforeAll(() => {
  // A copy, because packing rebuilds dist/, which other tests may be using.
  const source = join(folder, "source");
  const excluded = ["node_modules", ".git", "dist", "runs", "data"];
  cpSync(packageRoot, source, {
    recursive: true,
    filter: (path) => !excluded.includes(relative(packageRoot, path)),
  });
  symlinkSync(join(packageRoot, "node_modules"), join(source, "node_modules"));
  mkdirSync(join(source, "python/cliprpn/__pycache__"), { recursive: true });
  cpSync(join(packageRoot, "LICENSE"), join(source, "python/cliprpn/__pycache__/boxes.cpython-310.pyc"));
  const pack = run("npm", ["pack", "--json", "--pack-destination", folder], source);
  expect(pack.code, pack.err).toBe(0);
  packed = JSON.parse(pack.out)[0];
  mkdirSync(app);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=1"];
  const install = run("npm", ["install", ...quiet, join(folder, tarball)], app);
  expect(install.code, `npm could not install the tarball; is the registry reachable?\n${install.err}`).toBe(
    0,
  );
});

test("the tarball contains what is needed, and nothing else", () => {
  const paths = packed.files.map(({ path }) => path);
  const python = run("git", ["ls-files", "python/cliprpn", "experiments", "env"], packageRoot);
  const tracked = python.out
    .trim()
    .split("\n")
    .filter((path) => !path.startsWith("experiments/sample-report/"));
  expect(tracked.length).toBeGreaterThan(40);
  expect(tracked.filter((path) => !paths.includes(path))).toEqual([]);
  expect(paths).toEqual(
    expect.arrayContaining([
      ...["bin/cliprpn.js", "dist/cli.js", "dist/worker-main.js", "LICENSE", "README.md", "CITATION.cff"],
      ...["python/cliprpn/storage/weights/cliprpn-tiny.safetensors", "env/runtime.txt"],
      "src/contract/generated/experiment.schema.json",
    ]),
  );
  const foreign =
    /^(test|runs|data|node_modules|\.ci|experiments\/sample-report)\/|__pycache__|\.(pyc|log|tgz)$/;
  expect(paths.filter((path) => foreign.test(path))).toEqual([]);
  expect(packed.size).toBeLessThan(12e6);
});

test("--help, --version and schema work", () => {
  expect(npx(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("cliprpn sweep <file>") });
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  expect(npx(["--version"]).out.trim()).toBe(version);
  const schema = npx(["schema"]).out.trim();
  expect(schema).toContain(join(app, "node_modules"));
  expect(JSON.parse(readFileSync(schema, "utf8"))).toHaveProperty("$schema");
});

test("init writes a valid file whose schema exists", () => {
  expect(npx(["init", "mine.json"])).toMatchObject({ code: 0, out: "mine.json\n" });
  const schema = /"\$schema": "(.*)"/.exec(readFileSync(join(app, "mine.json"), "utf8"))?.[1] ?? "none";
  expect(existsSync(join(app, schema))).toBe(true);
  const dry = npx(["sweep", "mine.json", "--dry-run"]);
  expect(dry, dry.err).toMatchObject({ code: 0, out: expect.stringContaining("nothing was started") });
});

test("a shipped experiment runs, from images to the report", () => {
  const { question } = JSON.parse(readFileSync(join(packageRoot, "experiments/smoke.json"), "utf8"));
  const small = [
    "limits.train=100",
    "limits.val=40",
    "training.num_epochs=1",
    'vary.fusion=["token_attention"]',
  ];
  const sweep = npx(["sweep", "experiments/smoke.json", ...small.flatMap((set) => ["--set", set])], {
    CLIPRPN_PYTHON: testPython(),
  });
  expect(sweep.code, sweep.err).toBe(0);
  expect(sweep.err).toContain("shipped with cliprpn");
  const report = join(app, sweep.out.trim());
  expect(readFileSync(report, "utf8")).toContain(question);
  expect(readFileSync(report.replace(/md$/, "html"), "utf8")).toContain('id="explorer-data"');
});
