import { cacheDir } from "./cache-dir.ts";
import { type Extra, type ExtraName, extraNames, extraPackages, tamed } from "./extra-packages.ts";
import { broken, type Finding, firstLine, ok } from "./finding.ts";
import { type Inspection, inspectPython, lacks, pipCommand } from "./inspect-python.ts";
import type { ToolRun } from "./run-tool.ts";

/** A row per extra; that one is not there is no fault. */
export async function extraRows(
  python: string,
  run: ToolRun,
  managedFolder?: string | undefined,
): Promise<Finding[]> {
  const wanted = Object.assign({}, ...extraNames.map((name) => extraPackages[name].packages));
  const env = tamed(run.env, cacheDir(run.env));
  try {
    const inspection = await inspectPython(python, { ...run, env }, wanted);
    return extraNames.map((name) => extraRow(name, extraPackages[name], inspection, managedFolder));
  } catch (error) {
    return [
      broken("extras", firstLine(error), managedFolder === undefined ? "" : again("yolo", managedFolder)),
    ];
  }
}

function extraRow(
  name: ExtraName,
  { use, packages }: Extra,
  inspection: Inspection,
  managedFolder: string | undefined,
): Finding {
  const row = `extra ${name}`;
  const lacking = lacks(inspection, packages);
  if (lacking.length === 0) {
    const found = Object.keys(packages).map((module) => `${module} ${inspection.packages[module]?.version}`);
    return ok(row, found.join(", "));
  }
  const faulty = lacking.find(({ why }) => !why.startsWith("ModuleNotFoundError"));
  const pip = pipCommand(inspection, lacking);
  if (faulty !== undefined)
    return broken(
      row,
      `${faulty.module}: ${faulty.why}`,
      managedFolder === undefined ? pip : again(name, managedFolder),
    );
  return ok(
    row,
    `not installed (${managedFolder === undefined ? `for ${use}: ${pip}` : `fetched on first use of ${use}`})`,
  );
}

function again(name: string, folder: string): string {
  return `rm -r ${folder}/extra-*, then cliprpn setup --extra ${name}`;
}
