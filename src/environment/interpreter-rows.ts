import { cacheDir } from "./cache.ts";
import { type Extra, type ExtraName, extraNames, extras, offlineYoloEnv } from "./extras.ts";
import { type Inspection, inspectPython, packageProblems, pipCommand } from "./inspect-python.ts";
import { atLeast } from "./requirements.ts";
import type { ToolRun } from "./run-tool.ts";
import { hasNvidiaGpu } from "./torch-choice.ts";

/** One line of `cliprpn doctor`: something that cliprpn needs. */
export interface DoctorRow {
  name: string;
  state: "ok" | "missing" | "broken";
  found: string;
  /** Instructions to fix it; empty if there is no problem. */
  how_to_fix: string;
}

/** An environment that cliprpn built. */
interface ManagedEnvironment {
  folder: string;
  torchBackend: string | undefined;
}

/** Rows about an interpreter: its version, each package, the devices that its torch finds, and the extras. */
export async function interpreterRows(
  name: string,
  python: string,
  run: ToolRun,
  managed?: ManagedEnvironment,
): Promise<DoctorRow[]> {
  const rebuild = managed && `rm -r ${managed.folder}, then cliprpn setup`;
  let inspection: Inspection;
  try {
    inspection = await inspectPython(python, run);
  } catch (error) {
    return [broken(name, python, rebuild ?? firstLine(error))];
  }
  const problems = packageProblems(inspection);
  const packageRows = Object.entries(inspection.packages).map(([module, { version }]) => {
    const problem = problems.find((candidate) => candidate.module === module);
    if (problem === undefined) return ok(module, version ?? "");
    const row = problem.isMissing ? missing : broken;
    return row(module, problem.reason, rebuild ?? pipCommand(inspection, [problem]));
  });
  return [
    versionRow(name, inspection),
    ...packageRows,
    deviceRow(inspection.devices, managed?.torchBackend),
    ...(await extraRows(python, run, managed?.folder)),
  ];
}

function versionRow(name: string, { python, executable }: Inspection): DoctorRow {
  const found = `${python} (${executable})`;
  return atLeast(python, [3, 10])
    ? ok(name, found)
    : broken(name, found, "use Python 3.10 or newer, or omit --python and CLIPRPN_PYTHON");
}

/** A GPU that torch does not find is a problem, unless a torch for the CPU was chosen. */
function deviceRow(devices: string[], torchBackend: string | undefined): DoctorRow {
  const found = devices.join(", ");
  const isGpuUnused = hasNvidiaGpu() && !devices.some((device) => device.startsWith("cuda"));
  return isGpuUnused && torchBackend !== "cpu"
    ? broken(
        "devices",
        `${found}; torch does not find the NVIDIA GPU`,
        "update the NVIDIA driver, or run `cliprpn setup --torch-backend auto`",
      )
    : ok("devices", found);
}

/** A row per extra; one that is not installed is no problem. */
async function extraRows(
  python: string,
  run: ToolRun,
  environmentFolder: string | undefined,
): Promise<DoctorRow[]> {
  const wanted = Object.assign({}, ...extraNames.map((name) => extras[name].packages));
  const env = offlineYoloEnv(run.env, cacheDir(run.env));
  try {
    const inspection = await inspectPython(python, { ...run, env }, wanted);
    return extraNames.map((name) => extraRow(name, extras[name], inspection, environmentFolder));
  } catch (error) {
    const fix = environmentFolder === undefined ? "" : reinstallExtra("yolo", environmentFolder);
    return [broken("extras", firstLine(error), fix)];
  }
}

function extraRow(
  name: ExtraName,
  { neededBy, packages }: Extra,
  inspection: Inspection,
  environmentFolder: string | undefined,
): DoctorRow {
  const rowName = `extra ${name}`;
  const problems = packageProblems(inspection, packages);
  if (problems.length === 0) {
    const versions = Object.keys(packages).map(
      (module) => `${module} ${inspection.packages[module]?.version}`,
    );
    return ok(rowName, versions.join(", "));
  }
  const pip = pipCommand(inspection, problems);
  const faulty = problems.find(({ isMissing }) => !isMissing);
  if (faulty !== undefined) {
    const fix = environmentFolder === undefined ? pip : reinstallExtra(name, environmentFolder);
    return broken(rowName, `${faulty.module}: ${faulty.reason}`, fix);
  }
  return ok(
    rowName,
    environmentFolder === undefined
      ? `not installed (for ${neededBy}: ${pip})`
      : `not installed (installed on first use of ${neededBy})`,
  );
}

function reinstallExtra(name: string, environmentFolder: string): string {
  return `rm -r ${environmentFolder}/extra-*, then cliprpn setup --extra ${name}`;
}

export function ok(name: string, found: string): DoctorRow {
  return { name, state: "ok", found, how_to_fix: "" };
}

export function missing(name: string, found: string, fix: string): DoctorRow {
  return { name, state: "missing", found, how_to_fix: fix };
}

export function broken(name: string, found: string, fix: string): DoctorRow {
  return { name, state: "broken", found, how_to_fix: fix };
}

/** The first line of an error's message. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
