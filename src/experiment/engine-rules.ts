import type { EngineOptions, RayOptions, Roots, SlurmOptions } from "../contract/generated/types.ts";
import { formatValue, type Path, type Problem } from "./problem.ts";

/**
 * Checks options of engines by the rules that no schema can express.
 *
 * @param isExperiment false for a file of options, which a person trusts like a script.
 */
export function engineProblems(
  { slurm = {}, ray = {}, queue = {} }: EngineOptions,
  { isExperiment }: { isExperiment: boolean },
): Problem[] {
  const prefix: Path = isExperiment ? ["engine"] : [];
  return [
    ...slurmProblems(slurm, [...prefix, "slurm"], isExperiment),
    ...rayProblems(ray, [...prefix, "ray"], isExperiment),
    ...Object.entries({ slurm, ray, queue }).flatMap(([engine, { roots = {} }]) =>
      rootProblems([...prefix, engine, "roots"], roots, isExperiment),
    ),
  ];
}

/** @param path of the roots. */
function rootProblems(path: Path, roots: Roots, isExperiment: boolean): Problem[] {
  if (isExperiment && Object.keys(roots).length > 0)
    return [
      {
        path,
        atKey: true,
        message: `${path.join(".")}: expected in a file of options only, such as engines/lab.json: it says where folders are, and programs in them, and an experiment from somebody else must not`,
      },
    ];
  return Object.entries(roots).flatMap(([from, to = ""]) =>
    [from, to].flatMap((folder, index): Problem[] =>
      isPlain(folder)
        ? []
        : [
            {
              path: [...path, from],
              atKey: index === 0,
              message: `roots: expected the absolute path of a folder, without . and .. and colons, found ${formatValue(folder)}`,
            },
          ],
    ),
  );
}

/** A colon would end a path in PYTHONPATH, and an equals sign one of an option. */
function isPlain(folder: string): boolean {
  const parts = folder.replace(/\/$/, "").split("/").slice(1);
  return (
    !/[:=]/.test(folder) && !hasControl(folder) && parts.every((part) => !["", ".", ".."].includes(part))
  );
}

function rayProblems(
  { resources = {}, label_selector = {}, ...ray }: RayOptions,
  prefix: Path,
  isExperiment: boolean,
): Problem[] {
  const trusted = (["address", "python"] as const).filter((name) => isExperiment && ray[name] !== undefined);
  const reserved = Object.keys(resources).filter((name) => name in ownResources);
  const amounts = Object.entries(resources).filter(([, amount = 1]) => !isAmount(amount));
  const labels = Object.entries(label_selector).filter(
    ([name, value = ""]) => !labelName.test(name) || !labelValue.test(value),
  );
  return [
    ...trusted.map((name) => ({
      path: [...prefix, name],
      atKey: true,
      message: `engine.ray.${name}: expected in a file of options only, such as engines/lab.json, or as --ray-${name}: Ray runs what a cluster sends, and an experiment from somebody else must not choose it`,
    })),
    ...reserved.map((name) => ({
      path: [...prefix, "resources", name],
      atKey: true,
      message: `${name}: expected ${ownResources[name]} in its place`,
    })),
    ...amounts.map(([name, amount]) => ({
      path: [...prefix, "resources", name],
      atKey: false,
      message: `${name}: expected a whole number, or a part of 1 that is at least 0.0001, as Ray counts; found ${formatValue(amount)}`,
    })),
    ...labels.map(([name, value]) => ({
      path: [...prefix, "label_selector", name],
      atKey: !labelName.test(name),
      message: `${name}: expected a label as Ray has them, with a value such as H100, !H100 or in(H100, A100), of at most 63 letters, digits, "-", "_" and "." between letters or digits; found ${formatValue(value)}`,
    })),
    ...("ray.io/node-id" in label_selector
      ? [
          {
            path: [...prefix, "label_selector", "ray.io/node-id"],
            atKey: true,
            message: "ray.io/node-id: cliprpn sets this label itself; give nodes a label of your own",
          },
        ]
      : []),
  ];
}

function isAmount(amount: number): boolean {
  return amount > 1 ? Number.isInteger(amount) : amount >= 0.0001;
}

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?";
const labelName = new RegExp(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?/)?${label}$`);
const labelValue = new RegExp(`^(?:|!?${label}|!?in\\(${label}(?:, ?${label})*\\))$`);

/** Resources that have an option of their own. */
const ownResources: Record<string, string | undefined> = {
  CPU: "num_cpus",
  GPU: "num_gpus",
  memory: "a resource that the cluster defines",
  object_store_memory: "a resource that the cluster defines",
};

function slurmProblems(slurm: SlurmOptions, prefix: Path, isExperiment: boolean): Problem[] {
  const problems = Object.entries(slurm.additional_parameters ?? {}).flatMap(([name, value]) => {
    const message = explainParameter(name, value);
    const path = [...prefix, "additional_parameters", name];
    const atKey = typeof value !== "string" || !hasControl(value);
    return message === undefined ? [] : [{ path, atKey, message: `${name}: ${message}` }];
  });
  const setup = slurm.setup ?? [];
  if (isExperiment && setup.length > 0)
    problems.push({
      path: [...prefix, "setup"],
      atKey: true,
      message:
        "engine.slurm.setup: expected in a file of options only, such as engines/lab.json: it runs commands, and an experiment from somebody else must not",
    });
  for (const [index, line] of setup.entries())
    if (hasControl(line))
      problems.push({
        path: [...prefix, "setup", index],
        atKey: false,
        message: `setup[${index}]: expected one line without control characters, found ${formatValue(line)}`,
      });
  return problems;
}

/** What is wrong with an option of sbatch; undefined if it may be set. */
function explainParameter(name: string, value: unknown): string | undefined {
  const option = name.replaceAll("_", "-");
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(option))
    return "expected the long name of an option of sbatch, such as exclude";
  const ours = ownNames[option];
  if (ours !== undefined) return `expected ${ours} in its place`;
  if (reserved.has(option)) return "cliprpn sets this option itself";
  const meant = [...Object.keys(ownNames), ...reserved].find((full) => full.startsWith(option));
  if (meant !== undefined && option !== "gpus")
    return `expected the whole name of an option of sbatch, found the start of ${meant}, which sbatch takes for it`;
  if (typeof value === "string" && hasControl(value))
    return `expected text without control characters, found ${formatValue(value)}`;
  return undefined;
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** Options of sbatch that have a name of their own here. */
const ownNames: Record<string, keyof SlurmOptions | undefined> = {
  partition: "partition",
  account: "account",
  qos: "qos",
  constraint: "constraint",
  "gpus-per-node": "gpus_per_node",
  "cpus-per-task": "cpus_per_task",
  mem: "mem_gb",
  time: "timeout_min",
};

/** What the workers depend on. */
const reserved = new Set([
  "array",
  "chdir",
  "clusters",
  "error",
  "export",
  "export-file",
  "gid",
  "help",
  "input",
  "job-name",
  "no-requeue",
  "open-mode",
  "output",
  "parsable",
  "requeue",
  "signal",
  "test-only",
  "uid",
  "usage",
  "version",
  "wait",
  "wrap",
]);
