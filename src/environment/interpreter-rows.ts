import { extraRows } from "./extra-rows.ts";
import { broken, type Finding, firstLine, missing, ok } from "./finding.ts";
import { type Inspection, inspectPython, lacks, pipCommand } from "./inspect-python.ts";
import { seesNvidiaGpu } from "./nvidia-gpu.ts";
import type { ToolRun } from "./run-tool.ts";
import { atLeast } from "./version.ts";

/** Rows about an interpreter: itself, each package, the devices that its torch sees, and the extras. */
export async function interpreterRows(
  name: string,
  python: string,
  run: ToolRun,
  managed?: { folder: string; torchBackend: string | undefined },
): Promise<Finding[]> {
  const rebuild = managed && `rm -r ${managed.folder}, then cliprpn setup`;
  let inspection: Inspection;
  try {
    inspection = await inspectPython(python, run);
  } catch (error) {
    return [broken(name, python, rebuild ?? firstLine(error))];
  }
  const lacking = lacks(inspection);
  const packages = Object.entries(inspection.packages).map(([module, { version: is }]) => {
    const lack = lacking.find((one) => one.module === module);
    if (lack === undefined) return ok(module, is ?? "");
    const state = lack.why.startsWith("ModuleNotFoundError") ? missing : broken;
    return state(module, lack.why, rebuild ?? pipCommand(inspection, [lack]));
  });
  return [
    interpreterRow(name, inspection),
    ...packages,
    deviceRow(inspection.devices, managed?.torchBackend),
    ...(await extraRows(python, run, managed?.folder)),
  ];
}

function interpreterRow(name: string, { python, executable }: Inspection): Finding {
  const found = `${python} (${executable})`;
  return atLeast(python, [3, 10])
    ? ok(name, found)
    : broken(name, found, "give one that is 3.10 or newer, or leave out --python and CLIPRPN_PYTHON");
}

/** A GPU that torch does not see is worth a word, unless its build was chosen so. */
function deviceRow(devices: string[], torchBackend: string | undefined): Finding {
  const found = devices.join(", ");
  const unseen = seesNvidiaGpu() && !devices.some((device) => device.startsWith("cuda"));
  return unseen && torchBackend !== "cpu"
    ? broken(
        "devices",
        `${found}; torch does not see the NVIDIA GPU`,
        "update its driver, or `cliprpn setup --torch-backend auto`",
      )
    : ok("devices", found);
}
