import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type {
  EngineOptions,
  Experiment,
  QueueOptions,
  RayOptions,
  SlurmOptions,
} from "../contract/generated/types.ts";
import { readCheckedFile } from "./checked-file.ts";
import { engineProblems } from "./engine-rules.ts";
import { invalidError } from "./invalid-error.ts";

/** The options of an engine, and the file that some of them come from. */
export interface ReadOptions<Options> {
  options: Options;
  /** As the person knows it; undefined if there is none. */
  file: string | undefined;
}

/**
 * The options for `--engine slurm`: those of the experiment, and what it leaves open from a file.
 *
 * @param typed the file as typed; by default `engines/lab.json` in the current folder, if it exists.
 * @throws CliprpnError bad_input with all problems, as `file:line:column`.
 */
export function readSlurmOptions(
  { engine = {} }: Pick<Experiment, "engine">,
  typed: string | undefined,
  cwd: string,
): ReadOptions<SlurmOptions> {
  const { file, options: ofFile } = fileOptions(typed, cwd);
  const options = merged(ofFile.slurm ?? {}, engine.slurm ?? {});
  const { timeout_min, signal_delay_s } = options;
  if (timeout_min !== undefined && signal_delay_s !== undefined && signal_delay_s >= 60 * timeout_min)
    throw new CliprpnError(
      "bad_input",
      `engine.slurm.signal_delay_s: expected less than timeout_min (${timeout_min} minutes), found ${signal_delay_s} seconds`,
    );
  return { options, file };
}

/**
 * The options for `--engine ray`: those of the experiment, and what it leaves open from a file.
 *
 * @param typed as for `readSlurmOptions`.
 * @throws CliprpnError bad_input with all problems, as `file:line:column`.
 */
export function readRayOptions(
  { engine = {} }: Pick<Experiment, "engine">,
  typed: string | undefined,
  cwd: string,
): ReadOptions<RayOptions> {
  const { file, options } = fileOptions(typed, cwd);
  return { options: { ...options.ray, ...engine.ray }, file };
}

/** The options for `--engine queue`. @param typed as for `readSlurmOptions`. @throws CliprpnError bad_input with all problems. */
export function readQueueOptions(typed: string | undefined, cwd: string): ReadOptions<QueueOptions> {
  const { file, options } = fileOptions(typed, cwd);
  return { options: options.queue ?? {}, file };
}

function fileOptions(typed: string | undefined, cwd: string): ReadOptions<EngineOptions> {
  const file = typed ?? (existsSync(join(cwd, labFile)) ? labFile : undefined);
  return { options: file === undefined ? {} : readEngineFile(file, cwd), file };
}

/** Where a lab has its options. */
const labFile = "engines/lab.json";

/** @throws CliprpnError bad_input. */
function readEngineFile(file: string, cwd: string): EngineOptions {
  const read = readCheckedFile("EngineOptions", file, cwd, "options of an engine");
  if ("problems" in read) throw invalidError(file, read.problems);
  const problems = engineProblems(read.value, { isExperiment: false }).map(({ path, atKey, message }) => ({
    ...read.where(path, atKey),
    message,
  }));
  if (problems.length > 0) throw invalidError(file, problems);
  return read.value;
}

function merged(ofFile: SlurmOptions, ofExperiment: SlurmOptions): SlurmOptions {
  const further = { ...ofFile.additional_parameters, ...ofExperiment.additional_parameters };
  return {
    ...ofFile,
    ...ofExperiment,
    ...(Object.keys(further).length === 0 ? {} : { additional_parameters: further }),
  };
}
