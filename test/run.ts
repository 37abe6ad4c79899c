/** `npm test`: every check of the project, one after the other, on the test environment that the lock describes. */
import { delimiter, dirname } from "node:path";
import { $ } from "zx";
import { packageRoot } from "../src/base/package-root.ts";
import { ensureEnvironment } from "../src/environment/ensure-environment.ts";
import { makeTerminal } from "../src/terminal/make-terminal.ts";

const checks: Record<string, string[]> = {
  format: ["biome", "check", "."],
  types: ["tsc", "--noEmit", "-p", "."],
  unused: ["knip"],
  generated: ["tsx", "tools/generate.ts", "--check"],
  "python format": ["ruff", "format", "--check", "--config", "python/pyproject.toml", "python", "test"],
  "python lint": ["ruff", "check", "--config", "python/pyproject.toml", "python", "test"],
  "python types": ["mypy", "--config-file", "python/pyproject.toml", "python/cliprpn"],
  vitest: ["vitest", "run", "--root", ".", "--config", "test/vitest.config.ts"],
  pytest: ["python", "-m", "pytest", "-q", "test/python"],
};

const wanted = process.argv.slice(2);
const { python } = await ensureEnvironment({ name: "test", terminal: makeTerminal(process) });
const failed: string[] = [];
let passed = 0;
for (const [name, command] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = Date.now();
  const { exitCode } = await $({
    cwd: packageRoot,
    stdio: "inherit",
    nothrow: true,
    env: environment(python),
  })`${command}`;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${exitCode === 0 ? "passed" : "FAILED"}: ${name} (${seconds} s)\n\n`);
  if (exitCode === 0) passed += 1;
  else failed.push(name);
}
if (failed.length > 0) process.stdout.write(`failed checks: ${failed.join(", ")}\n`);
process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function environment(interpreter: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CLIPRPN_TEST_PYTHON: interpreter,
    PYTHONPATH: `${packageRoot}/python`,
    PYTHONDONTWRITEBYTECODE: "1",
    PATH: [`${packageRoot}/node_modules/.bin`, dirname(interpreter), process.env.PATH].join(delimiter),
  };
}
