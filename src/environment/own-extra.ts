import { CliprpnError } from "../contract/errors.ts";
import { type ExtraName, extraPackages, tamed } from "./extra-packages.ts";
import { needed } from "./inspect-python.ts";
import { checkPackages } from "./own-python.ts";
import type { ToolRun } from "./run-tool.ts";

/**
 * Whether a person's own interpreter has an extra too; nothing is installed into it.
 *
 * @throws CliprpnError package_missing, with the command that installs it, and its licence.
 */
export async function checkOwnExtra(
  python: string,
  name: ExtraName,
  cache: string,
  run: ToolRun,
): Promise<void> {
  const { use, packages, licence } = extraPackages[name];
  // torch and the rest beside it: another torch may be one that the extra does not import with.
  const wanted = { ...needed, ...packages };
  const tamedRun = { ...run, env: tamed(run.env, cache) };
  await checkPackages(python, wanted, cache, tamedRun, (lines) => {
    const told = [...lines, ...(lines.some(needsScreen) ? [headless] : []), ...(licence ? [licence] : [])];
    const text = told.map((line) => `  ${line}`).join("\n");
    return new CliprpnError(
      "package_missing",
      `${python} lacks what ${use} needs:\n${text}\n  without --python and CLIPRPN_PYTHON, cliprpn installs what it needs into its own environment`,
    );
  });
}

/** `libGL.so.1: cannot open shared object file`, of opencv-python on a machine without a screen. */
function needsScreen(line: string): boolean {
  return /\blib(GL|xcb|X11|SM)\b.*\.so/.test(line);
}

const headless =
  "opencv-python needs a screen's libraries: put opencv-python-headless in its place (pip uninstall opencv-python first)";
