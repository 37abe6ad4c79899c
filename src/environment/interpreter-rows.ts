import { quoteForShell } from "../base/format.ts";
import { blamedVariables } from "./blamed-variables.ts";
import { cacheDir } from "./cache.ts";
import { broken, type DoctorRow, firstLine, missing, ok } from "./doctor-row.ts";
import {
  type Extra,
  type ExtraName,
  extraNames,
  extras,
  offlineYoloEnv,
  type WorkerExtra,
} from "./extras.ts";
import {
  type Inspection,
  inspectPython,
  type PythonRun,
  packageProblems,
  pipCommand,
} from "./inspect-python.ts";
import { atLeast } from "./requirements.ts";
import { hasNvidiaGpu } from "./torch-choice.ts";
import { type StartWorker, unsetAdvice, workerRows } from "./worker-rows.ts";

/** An environment that cliprpn built. */
interface ManagedEnvironment {
  folder: string;
  torchBackend: string | undefined;
}

/** Rows about an interpreter: its version, each package, the devices that its torch finds, the extras, and a real worker. */
export async function interpreterRows(
  name: string,
  python: string,
  run: PythonRun,
  startWorker: StartWorker | undefined,
  managed?: ManagedEnvironment,
): Promise<DoctorRow[]> {
  let inspection: Inspection;
  try {
    inspection = await inspectPython(python, run);
  } catch (error) {
    const fix = (await unsetFix(python, run)) ?? (managed ? rebuildAdvice(managed) : "");
    return [broken(name, firstLine(error), fix)];
  }
  const problems = packageProblems(inspection);
  const unset = problems.length > 0 ? await unsetFix(python, run) : undefined;
  const packageRows = Object.entries(inspection.packages).map(([module, { version }]) => {
    const problem = problems.find((candidate) => candidate.module === module);
    if (problem === undefined) return ok(module, version ?? "");
    const row = problem.isMissing ? missing : broken;
    const fix = unset ?? (managed ? rebuildAdvice(managed) : pipCommand(inspection, [problem]));
    return row(module, problem.reason, fix);
  });
  const extraInspection = await inspectExtras(python, run);
  const rows = [
    versionRow(name, inspection),
    ...packageRows,
    deviceRow(inspection.devices, managed?.torchBackend),
    ...extraRows(extraInspection, managed?.folder),
  ];
  if (problems.length > 0 || startWorker === undefined) return rows;
  return [...rows, ...(await workerRows(python, run, extrasToRun(extraInspection), startWorker))];
}

/** Only for an environment that cannot work: whatever else fails, deleting gigabytes of packages would not help. */
function rebuildAdvice({ folder }: ManagedEnvironment): string {
  return `rm -r ${quoteForShell(folder)}, then cliprpn setup`;
}

/** The advice to unset the variables without which all packages can be imported; undefined if they are not the reason. */
async function unsetFix(python: string, run: PythonRun): Promise<string | undefined> {
  const names = await blamedVariables(run.env, async (env) => {
    try {
      return packageProblems(await inspectPython(python, { ...run, env })).length === 0;
    } catch {
      return false;
    }
  });
  return names.length === 0 ? undefined : unsetAdvice(names);
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

/** The packages of all extras, or why they could not be inspected. */
async function inspectExtras(python: string, run: PythonRun): Promise<Inspection | Error> {
  const wanted = Object.assign({}, ...extraNames.map((name) => extras[name].packages));
  const env = offlineYoloEnv(run.env, cacheDir(run.env));
  try {
    return await inspectPython(python, { ...run, env }, wanted);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A row per extra; one that is not installed is no problem. */
function extraRows(inspection: Inspection | Error, environmentFolder: string | undefined): DoctorRow[] {
  if (!(inspection instanceof Error))
    return extraNames.map((name) => extraRow(name, extras[name], inspection, environmentFolder));
  const fix = environmentFolder === undefined ? "" : reinstallExtra("yolo", environmentFolder);
  return [broken("extras", firstLine(inspection), fix)];
}

function extrasToRun(inspection: Inspection | Error): WorkerExtra[] {
  if (inspection instanceof Error) return [];
  return extraNames
    .filter((name) => name !== "ray")
    .filter((name) => packageProblems(inspection, extras[name].packages).length === 0);
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
  return `rm -r ${quoteForShell(environmentFolder)}/extra-*, then cliprpn setup --extra ${name}`;
}
