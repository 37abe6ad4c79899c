import { userInfo } from "node:os";
import { execa } from "execa";
import { withoutPython } from "../../base/python-env.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { type ListedNode, parseSinfo, sinfoFormat } from "./sinfo.ts";
import { type ListedJob, parseSqueue, squeueFormat } from "./squeue.ts";

/** The jobs of one name, through SLURM's commands. Needs no accounting. */
export class Slurm {
  readonly #jobName: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(jobName: string, env: NodeJS.ProcessEnv) {
    this.#jobName = jobName;
    this.#env = env;
  }

  /**
   * Submits a script.
   *
   * @returns the number of the array.
   * @throws CliprpnError bad_input if SLURM refuses it; environment_broken if SLURM cannot be reached.
   */
  async submit(script: string): Promise<string> {
    const { stdout } = await this.#run("sbatch", ["--parsable"], script);
    const [id = ""] = stdout.trim().split(/[;\n]/);
    if (/^\d+$/.test(id)) return id;
    throw new CliprpnError(
      "environment_broken",
      `sbatch --parsable: expected the number of a job, found ${JSON.stringify(stdout.slice(0, 200))}`,
    );
  }

  /** Has SLURM check a script, without a job. @throws CliprpnError as `submit`. */
  async check(script: string): Promise<void> {
    await this.#run("sbatch", ["--test-only"], script);
  }

  /** The jobs of the name that have not ended, also those of an earlier process. @throws CliprpnError environment_broken. */
  async list(): Promise<ListedJob[]> {
    return (await this.listAll()).filter(({ state }) => state !== "ended");
  }

  /** All jobs of the name that SLURM remembers; those that ended are among them for some minutes. @throws as `list`. */
  async listAll(): Promise<ListedJob[]> {
    const { stdout } = await this.#run("squeue", [
      "--noheader",
      "--array",
      "--states=all",
      `--user=${userInfo().uid}`,
      `--name=${this.#jobName}`,
      `--format=${squeueFormat}`,
    ]);
    return parseSqueue(stdout);
  }

  /** The nodes of a partition, or of the default one, as far as SLURM shows them. @throws as `list`. */
  async nodes(partition = this.#env.SBATCH_PARTITION || undefined): Promise<ListedNode[]> {
    const where = partition === undefined ? [] : [`--partition=${partition}`];
    const { stdout } = await this.#run("sinfo", [
      "--noheader",
      "--Node",
      `--format=${sinfoFormat}`,
      ...where,
    ]);
    return parseSinfo(stdout, partition);
  }

  /** Ends all jobs of the name, waiting and running. */
  async cancelAll(): Promise<void> {
    await this.#cancel([`--user=${userInfo().uid}`, `--name=${this.#jobName}`]);
  }

  /** Kills the worker of a job at once; a plain scancel waits for it for KillWait seconds. */
  async kill(id: string): Promise<void> {
    await this.#cancel(["--signal=KILL", "--batch", id]);
  }

  /** Ends one job. */
  async cancel(id: string): Promise<void> {
    await this.#cancel([id]);
  }

  /** A job that has ended meanwhile is fine. */
  async #cancel(args: string[]): Promise<void> {
    try {
      await this.#run("scancel", args);
    } catch (error) {
      if (!(error instanceof CliprpnError && hasEnded.test(error.message))) throw error;
    }
  }

  async #run(command: string, args: string[], input = ""): Promise<{ stdout: string }> {
    const result = await execa(command, args, {
      env: command === "sbatch" ? withoutOptions(this.#env, input) : withoutFilters(this.#env),
      extendEnv: false,
      reject: false,
      timeout: timeoutMs,
      input,
    });
    if (!result.failed) return { stdout: result.stdout ?? "" };
    if (result.code === "ENOENT") throw withoutSlurm(command);
    const output =
      result.stderr?.trim() || (result.timedOut ? "it did not answer" : (result.shortMessage ?? "it failed"));
    throw explainFailure(command, output);
  }
}

/**
 * The environment without the variables by which sbatch would overrule options of a script, such as SBATCH_PARTITION. The others stay:
 * clusters set defaults in them. Jobs get this environment, so it has nothing that would change their Python, such as PYTHONHOME.
 */
export function withoutOptions(env: NodeJS.ProcessEnv, script: string): NodeJS.ProcessEnv {
  const options = [...script.matchAll(/^#SBATCH --([a-z-]+)/gm)].map(([, name = ""]) => name);
  const names = options.map((name) => otherNames[name] ?? name.toUpperCase().replaceAll("-", "_"));
  const dropped = new Set([...names, "NO_REQUEUE", "WAIT"].map((name) => `SBATCH_${name}`));
  return Object.fromEntries(Object.entries(withoutPython(env)).filter(([name]) => !dropped.has(name)));
}

/** The environment without a person's defaults for squeue, sinfo and scancel, which would hide jobs or nodes, or ask before it cancels them. */
function withoutFilters(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(SQUEUE|SINFO|SCANCEL)_/.test(name)));
}

/** Options whose variable is not called as they are. */
const otherNames: Record<string, string> = {
  array: "ARRAY_INX",
  time: "TIMELIMIT",
  mem: "MEM_PER_NODE",
};

const hasEnded = /invalid job id|already complet/i;

/** SLURM's commands wait for a busy controller. */
const timeoutMs = 60_000;

function withoutSlurm(command: string): CliprpnError {
  return new CliprpnError(
    "environment_broken",
    `--engine slurm: expected the command ${command} on the PATH, found none. Run cliprpn on a login node of the cluster, or use --engine local`,
  );
}

/** The error with SLURM's own words. */
function explainFailure(command: string, output: string): CliprpnError {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const text = lines.map((line) => `  ${line}`).join("\n");
  if (command !== "sbatch" || unreachable.test(output))
    return new CliprpnError("environment_broken", `${command} failed:\n${text}`);
  return new CliprpnError(
    "bad_input",
    `SLURM refused the jobs; correct engine.slurm of the experiment, or the file of options. \`--dry-run\` prints the script:\n${text}`,
  );
}

const unreachable =
  /unable to contact|connection refused|communication|timed? ?out|zero bytes|socket|process configuration file|configuration source|munge|did not answer/i;
