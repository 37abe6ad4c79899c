/** Runs the test environment's Python with `cliprpn` and the tests' modules on its path: `tsx test/in-python.ts -m pytest test/gpu`. */
import { delimiter } from "node:path";
import { $ } from "zx";
import { ensureEnvironment } from "../src/environment/ensure-environment.ts";
import { packageRoot } from "../src/package-root.ts";
import { makeTerminal } from "../src/terminal/make-terminal.ts";

const { python } = await ensureEnvironment({ name: "test", terminal: makeTerminal(process) });
const { exitCode } = await $({
  cwd: packageRoot,
  stdio: "inherit",
  nothrow: true,
  env: {
    ...process.env,
    PYTHONPATH: ["python", "test", "test/python"].map((folder) => `${packageRoot}/${folder}`).join(delimiter),
    PYTHONDONTWRITEBYTECODE: "1",
  },
})`${python} ${process.argv.slice(2)}`;
process.exitCode = exitCode ?? 1;
