import { CliprpnError } from "../contract/errors.ts";
import type { Experiment } from "../contract/generated/types.ts";
import { readQueueOptions, readRayOptions, readSlurmOptions } from "../experiment/engine-options.ts";
import { checkRayAddress } from "../experiment/ray-address.ts";
import type { ReadPlan } from "../sweep/read-plan.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { Arguments } from "./command.ts";

/** The options of a cluster. No trial runs on this machine then, whatever device it has. @throws CliprpnError bad_input. */
export function withCluster(run: RunContext, read: ReadPlan, args: Arguments): RunContext {
  const { engine } = run;
  checkEngineOf(args, engine);
  if (engine !== "slurm" && engine !== "ray") {
    const found = (["slurm", "ray"] as const).filter((name) => read.experiment.engine?.[name] !== undefined);
    for (const name of found)
      run.terminal.info(
        `The options engine.${name} of the experiment are for --engine ${name}, and not used here.`,
      );
    return engine === "queue" ? withRoots(run, args) : run;
  }
  for (const option of ["devices", "slots-per-device"])
    if (args.text(option) !== undefined)
      throw new CliprpnError(
        "bad_input",
        `--${option}: expected another engine than ${engine}, whose ${engine === "slurm" ? "jobs have one GPU each (engine.slurm.gpus_per_node)" : "actors have one GPU each (engine.ray.num_gpus)"}`,
      );
  const jobDevice = run.device === "auto" ? undefined : run.device;
  const elsewhere: RunContext = { ...run, device: "auto", jobDevice };
  return engine === "slurm" ? withSlurm(elsewhere, read, args) : withRay(elsewhere, read, args);
}

/** @throws CliprpnError bad_input for an option of another engine. */
export function checkEngineOf(args: Arguments, engine: RunContext["engine"]): void {
  const given = (name: string): boolean => args.flag(name) || args.text(name) !== undefined;
  if (engine === "ray" && args.flag("detach"))
    throw new CliprpnError(
      "bad_input",
      "--detach: expected --engine slurm, found ray: Ray ends the workers with the command that started them. Leave the command running, for example in tmux",
    );
  const others = [
    ...(engine === "slurm" ? [] : ["detach"]),
    ...(engine === "ray" ? [] : ["ray-address", "ray-python"]),
    ...((engine ?? "local") === "local" ? ["engine-options"] : []),
  ];
  const found = others.find(given);
  if (found === undefined) return;
  const engines = found === "detach" ? "slurm" : found === "engine-options" ? "slurm, ray or queue" : "ray";
  throw new CliprpnError("bad_input", `--${found}: only valid with --engine ${engines}; add it`);
}

function withSlurm(run: RunContext, { experiment }: ReadPlan, args: Arguments): RunContext {
  const atEnd = ["fail-if", "notify", "open"].find(
    (name) =>
      args.flag(name) || args.text(name) !== undefined || args.list(name).some((value) => value !== "false"),
  );
  if (args.flag("detach") && atEnd !== undefined)
    throw new CliprpnError(
      "bad_input",
      `expected --detach or --${atEnd}, found both: there is no report yet`,
    );
  const { options, file } = readSlurmOptions(experiment, args.text("engine-options"), run.cwd);
  if (file !== undefined) run.terminal.info(`Options of SLURM: ${file}`);
  return { ...run, slurm: options, roots: options.roots, detach: args.flag("detach") };
}

/** Where the folders of this machine are on those that join. */
function withRoots(run: RunContext, args: Arguments): RunContext {
  const { options, file } = readQueueOptions(args.text("engine-options"), run.cwd);
  if (options.roots !== undefined) run.terminal.info(`Folders on other machines: ${file}`);
  return { ...run, roots: options.roots };
}

/** Options of Ray, for a sweep or for `doctor`. @throws CliprpnError bad_input. */
export function withRay(
  run: RunContext,
  { experiment }: { experiment: Pick<Experiment, "engine"> },
  args: Arguments,
): RunContext {
  const { options, file } = readRayOptions(experiment, args.text("engine-options"), run.cwd);
  if (file !== undefined) run.terminal.info(`Options of Ray: ${file}`);
  const address = args.text("ray-address");
  const python = args.text("ray-python");
  const ray = {
    ...options,
    ...(address === undefined ? {} : { address: checkRayAddress("--ray-address", address) }),
    ...(python === undefined ? {} : { python }),
  };
  if (run.jobDevice?.startsWith("cuda") && ray.num_gpus === 0)
    throw new CliprpnError(
      "bad_input",
      `expected --device ${run.jobDevice} or engine.ray.num_gpus 0, found both: Ray shows such actors no GPU`,
    );
  // Without a GPU for trials on the CPU.
  return { ...run, roots: ray.roots, ray: run.jobDevice === "cpu" ? { num_gpus: 0, ...ray } : ray };
}
