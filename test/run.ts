/**
 * `npm test`: runs every check of the project in the test environment of the lock file, and prints how long each took.
 * With names of checks, only these; `npm run test:interrupts`, `test:slow` and `test:clusters` are checks that only run by name. With
 * `--slow`, the tests on clusters that take minutes, too.
 */
import { delimiter, dirname } from "node:path";
import { $ } from "zx";
import { ensureEnvironment } from "../src/environment/ensure-environment.ts";
import { ensureExtras } from "../src/environment/ensure-extras.ts";
import { packageRoot } from "../src/package-root.ts";
import { makeTerminal } from "../src/terminal/make-terminal.ts";

const checks: Record<string, string[]> = {
  format: ["biome", "check", "."],
  types: ["tsc", "--noEmit", "-p", "."],
  "page types": ["tsc", "--noEmit", "-p", "src/report/html/browser"],
  unused: ["knip"],
  generated: ["tsx", "tools/generate.ts", "--check"],
  "python format": [
    "ruff",
    "format",
    "--check",
    "--config",
    "python/pyproject.toml",
    "python",
    "test",
    "tools",
  ],
  "python lint": ["ruff", "check", "--config", "python/pyproject.toml", "python", "test", "tools"],
  "python types": [
    "mypy",
    "--config-file",
    "python/pyproject.toml",
    "python/cliprpn",
    "python/cliprpn_ray",
    "tools",
  ],
  vitest: [
    "vitest",
    "run",
    "--config",
    "test/vitest.config.ts",
    "--exclude",
    "test/interrupts/**",
    "--exclude",
    "test/clusters/**",
    "--exclude",
    "test/slow/**",
  ],
  pytest: ["python", "-m", "pytest", "-q", "-m", "not slow", "test/python", "test/gpu"],
  slow: ["vitest", "run", "--config", "test/vitest.config.ts", "test/slow"],
  "slow python": ["python", "-m", "pytest", "-q", "-m", "slow", "test/python", "test/gpu"],
  interrupts: ["vitest", "run", "--config", "test/vitest.config.ts", "test/interrupts"],
  clusters: ["vitest", "run", "--config", "test/vitest.config.ts", "test/clusters"],
};
/** pytest uses one core, so it runs beside vitest; its output is shown when both have ended. */
const besides: Record<string, string> = { vitest: "pytest", slow: "slow python" };
/** Checks that take long and only run by name. */
const separate = ["interrupts", "slow", "slow python", "clusters"];

const names = process.argv.slice(2).filter((argument) => argument !== "--slow");
const isSlow = process.argv.includes("--slow");
const unknown = names.filter((name) => !(name in checks));
if (unknown.length > 0)
  throw new Error(`expected ${Object.keys(checks).join(", ")}; found ${unknown.join(", ")}`);
const terminal = makeTerminal(process);
const testEnvironment = await ensureEnvironment({ name: "test", terminal });
const { python } = testEnvironment;
const chosen = Object.keys(checks).filter((name) =>
  names.length === 0 ? !separate.includes(name) : names.includes(name),
);
if (chosen.includes("clusters")) await addRay();
const results: { name: string; passed: boolean; seconds: number }[] = [];
while (chosen.length > 0) {
  const [name = ""] = chosen.splice(0, 1);
  const other = chosen.indexOf(besides[name] ?? "");
  const outputOfOther = other === -1 ? undefined : run(chosen.splice(other, 1)[0] ?? "", "pipe");
  await run(name, "inherit");
  const output = await outputOfOther;
  if (output !== undefined) process.stdout.write(`${output}\n`);
}
process.stdout.write(`${results.map(describe).join("\n")}\n`);
const numFailed = results.filter(({ passed }) => !passed).length;
process.stdout.write(`${results.length - numFailed} passed, ${numFailed} failed\n`);
process.exitCode = numFailed === 0 ? 0 : 1;

/** Without it, the tests on Ray say that they are skipped. */
async function addRay(): Promise<void> {
  try {
    await ensureExtras(testEnvironment, ["ray"], { terminal });
  } catch (error) {
    terminal.warn(`Ray could not be installed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Runs a check and adds its result. @returns its output, if it is not inherited. */
async function run(name: string, stdio: "inherit" | "pipe"): Promise<string> {
  const started = Date.now();
  const output = await $({
    cwd: packageRoot,
    // Node's pipes are sockets, and bash reads .bashrc if its input is one, which may change PATH.
    stdio: stdio === "pipe" ? ["ignore", "pipe", "pipe"] : stdio,
    nothrow: true,
    quiet: true,
    env: environment(python),
  })`${checks[name] ?? []}`;
  const result = { name, passed: output.exitCode === 0, seconds: (Date.now() - started) / 1000 };
  results.push(result);
  if (stdio === "inherit") process.stdout.write(`${describe(result)}\n\n`);
  return output.stdall;
}

function describe({ name, passed, seconds }: (typeof results)[number]): string {
  return `${passed ? "passed" : "FAILED"}: ${name} (${seconds.toFixed(1)} s)`;
}

function environment(interpreter: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CLIPRPN_TEST_PYTHON: interpreter,
    ...(isSlow ? { CLIPRPN_TEST_SLOW: "1" } : {}),
    PYTHONPATH: `${packageRoot}/python`,
    PYTHONDONTWRITEBYTECODE: "1",
    // Threads that wait must not spin: several torch processes share the cores.
    OMP_WAIT_POLICY: "PASSIVE",
    PATH: [`${packageRoot}/node_modules/.bin`, dirname(interpreter), process.env.PATH].join(delimiter),
  };
}
