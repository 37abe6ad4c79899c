import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import { CliprpnError } from "../contract/errors.ts";
import { type ExtraName, extras, offlineYoloEnv } from "./extras.ts";
import { askPython, inspectPython, type PythonRun, problemLines } from "./inspect-python.ts";
import { requiredPackages } from "./requirements.ts";
import type { ToolRun } from "./run-tool.ts";
import { indented } from "./tool-error.ts";

/**
 * Checks that the user's interpreter has the packages that trials need; installs nothing.
 *
 * @returns the path of the interpreter itself.
 * @throws CliprpnError python_unsuitable; package_missing, with all problems and the command that fixes them.
 */
export async function checkUserPython(python: string, cache: string, run: ToolRun): Promise<string> {
  return checkPackages(python, requiredPackages, cache, run, (problems) => {
    const isOldPython = problems[0]?.startsWith("Python:");
    return new CliprpnError(
      isOldPython ? "python_unsuitable" : "package_missing",
      `${python} cannot be used:\n${indented([...problems, "omit --python and CLIPRPN_PYTHON to let cliprpn install its own environment"])}`,
    );
  });
}

/**
 * Checks that the user's interpreter has the packages of an extra; installs nothing.
 *
 * @throws CliprpnError package_missing, with the command that installs them, and their license.
 */
export async function checkUserExtra(
  python: string,
  name: ExtraName,
  cache: string,
  run: ToolRun,
): Promise<void> {
  const { neededBy, packages, license } = extras[name];
  // Together with torch: the extra may not be importable with the torch that is installed.
  const wanted = { ...requiredPackages, ...packages };
  const yoloRun = { ...run, env: offlineYoloEnv(run.env, cache) };
  await checkPackages(python, wanted, cache, yoloRun, (problems) => {
    const details = [
      ...problems,
      ...(problems.some(needsDisplayLibrary) ? [headlessAdvice] : []),
      ...(license ? [license] : []),
      "omit --python and CLIPRPN_PYTHON to let cliprpn install these packages into its own environment",
    ];
    return new CliprpnError(
      "package_missing",
      `${python} lacks packages for ${neededBy}:\n${indented(details)}`,
    );
  });
}

/** `libGL.so.1: cannot open shared object file`: the error of opencv-python on a machine without a display. */
function needsDisplayLibrary(problem: string): boolean {
  return /\blib(GL|xcb|X11|SM)\b.*\.so/.test(problem);
}

const headlessAdvice =
  "opencv-python needs display libraries: replace it with opencv-python-headless (pip uninstall opencv-python first)";

/**
 * The full check imports all packages and takes seconds. Once it has passed, the versions of the packages are saved, and later
 * checks compare only these, which is fast.
 */
async function checkPackages(
  python: string,
  wanted: Record<string, string>,
  cache: string,
  toolRun: ToolRun,
  unusable: (problems: string[]) => CliprpnError,
): Promise<string> {
  const run: PythonRun = { ...toolRun, keepPythonPath: true };
  const answer = await askPython(python, versionsScript, Object.values(wanted).map(distribution), run);
  const listing: Listing = JSON.parse(answer);
  const { executable, versions } = listing;
  const key = createHash("sha256").update(JSON.stringify(listing)).digest("hex").slice(0, 16);
  const passedFile = join(cache, "own-python", key);
  const isComplete = Object.values(versions).every((version) => version !== null);
  if (isComplete && existsSync(passedFile)) return executable;
  const problems = problemLines(await inspectPython(executable, run, wanted), wanted);
  if (problems.length > 0) throw unusable(problems);
  if (isComplete) await rememberPassed(passedFile, executable);
  return executable;
}

interface Listing {
  executable: string;
  python: string;
  versions: Record<string, string | null>;
}

/** `torch>=2.11` requires the distribution torch. */
function distribution(requirement: string): string {
  return requirement.replace(/[<>=,].*$/, "");
}

/** Only saves time, so that a cache which cannot be written is ignored. */
async function rememberPassed(file: string, executable: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    replaceFile(file, `${executable}\n`);
  } catch {
    // The full check runs again next time.
  }
}

// Old versions of Python must be able to parse this, so that they can report their version.
const versionsScript = `
import json, sys
versions = {}
try:
    from importlib import metadata
except ImportError:
    metadata = None
for name in sys.argv[1:]:
    try:
        versions[name] = metadata.version(name)
    except Exception:
        versions[name] = None
sys.stdout.write("\\n" + json.dumps({
    "executable": sys.executable,
    "python": "%d.%d.%d" % sys.version_info[:3],
    "versions": versions,
}) + "\\n")
`;
