import { spawnSync } from "node:child_process";

/** The interpreter that has Ray: of the tests, or CLIPRPN_TEST_RAY_PYTHON. */
export const rayPython = process.env.CLIPRPN_TEST_RAY_PYTHON || process.env.CLIPRPN_TEST_PYTHON || "python3";

/** Why there can be no Ray for tests on this machine; undefined if there can. */
export const missingRay = whyNot();

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "their nodes need Linux";
  const { status } = spawnSync(rayPython, ["-c", "import ray"]);
  return status === 0 ? undefined : `${rayPython} has no Ray; \`npm run test:clusters\` installs it`;
}
