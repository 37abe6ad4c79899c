import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { CliprpnError } from "../contract/errors.ts";
import { askPython, inspectPython, needed, shortcomings } from "./inspect-python.ts";
import type { ToolRun } from "./run-tool.ts";

export interface OwnPython {
  python: string;
  /** Hash of the interpreter and of its packages' versions. */
  key: string;
}

/**
 * A person's own interpreter, checked.
 *
 * @throws CliprpnError python_unsuitable, package_missing (all of them at once, with the command that installs them).
 */
export async function checkOwnPython(python: string, cache: string, run: ToolRun): Promise<OwnPython> {
  return checkPackages(python, needed, cache, run, (lines) => unusable(python, lines));
}

/**
 * The full check imports the packages and takes seconds; what passed is remembered by their versions, which are there in a
 * moment.
 *
 * @throws CliprpnError python_unsuitable; what `unusable` makes of the lines that tell what is wrong.
 */
export async function checkPackages(
  python: string,
  wanted: Record<string, string>,
  cache: string,
  run: ToolRun,
  unusable: (lines: string[]) => CliprpnError,
): Promise<OwnPython> {
  const listing: Listing = JSON.parse(
    await askPython(python, script, Object.values(wanted).map(distribution), run),
  );
  const { executable, versions } = listing;
  const key = createHash("sha256").update(JSON.stringify(listing)).digest("hex").slice(0, 16);
  const passed = join(cache, "own-python", key);
  const complete = Object.values(versions).every((version) => version !== null);
  if (complete && existsSync(passed)) return { python: executable, key };
  const lines = shortcomings(await inspectPython(executable, run, wanted), wanted);
  if (lines.length > 0) throw unusable(lines);
  if (complete) await remember(passed, executable);
  return { python: executable, key };
}

interface Listing {
  executable: string;
  python: string;
  versions: Record<string, string | null>;
}

/** `torch>=2.11` is the distribution torch. */
function distribution(requirement: string): string {
  return requirement.replace(/[<>=,].*$/, "");
}

function unusable(python: string, lines: string[]): CliprpnError {
  const text = lines.map((line) => `  ${line}`).join("\n");
  const oldPython = lines[0]?.startsWith("Python:");
  return new CliprpnError(
    oldPython ? "python_unsuitable" : "package_missing",
    `${python} cannot be used:\n${text}\n  without --python and CLIPRPN_PYTHON, cliprpn sets up its own environment`,
  );
}

/** Only saves time: a cache that cannot be written is no reason to stop here. */
async function remember(file: string, executable: string): Promise<void> {
  try {
    await mkdir(join(file, ".."), { recursive: true });
    await writeFileAtomic(file, `${executable}\n`);
  } catch {
    // The check is made again next time.
  }
}

const script = `
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
