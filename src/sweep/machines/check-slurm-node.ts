import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "../../base/output-tail.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { NodeCheck, Roots, SlurmOptions } from "../../contract/generated/types.ts";
import { batchScript } from "../../engine/slurm/batch-script.ts";
import type { ListedNode } from "../../engine/slurm/sinfo.ts";
import { Slurm } from "../../engine/slurm/slurm.ts";
import type { RunContext } from "../run-context.ts";
import { answerIn, type CheckedNode, nodeSide, rootTokens, testFolder } from "./check-node.ts";
import { pathThere } from "./roots.ts";
import { deviceOf } from "./slurm-place.ts";

/** The nodes of the jobs' partition, as far as SLURM shows them. @throws CliprpnError as SLURM's commands. */
export function listNodes({ partition }: SlurmOptions, { env }: RunContext): Promise<ListedNode[]> {
  return new Slurm("cliprpn-doctor", env).nodes(partition);
}

/**
 * Runs a job on a node, as a sweep would, and tests the runs folder with it.
 *
 * @throws CliprpnError as SLURM's commands; environment_broken if the job ends without an answer; the signal's reason.
 */
export async function checkSlurmNode(options: SlurmOptions, run: RunContext): Promise<CheckedNode> {
  mkdirSync(run.runsDir, { recursive: true });
  const folder = mkdtempSync(join(run.runsDir, ".doctor-"));
  const name = `cliprpn-doctor-${folder.slice(-6)}`;
  const slurm = new Slurm(name, run.env);
  let checked: CheckedNode;
  try {
    const side = await nodeSide(run, folder, { device: deviceOf(run), nodeCache: options.node_cache_dir });
    const job = { ...side, name, logFolder: pathThere(folder, run.roots), numThreads: null };
    const script = batchScript(job, options, 1);
    const tokens = rootTokens(run, folder);
    try {
      const facts = await answerOf(folder, `${await slurm.submit(script)}_0`, slurm, run);
      checked = await testFolder(folder, facts, tokens, run.signal);
    } finally {
      tokens.remove();
    }
  } catch (error) {
    await endJob(folder, slurm).catch(() => undefined); // What went wrong before says more.
    throw error;
  }
  await endJob(folder, slurm);
  return checked;
}

/** Ends the job, and removes what it wrote. */
async function endJob(folder: string, slurm: Slurm): Promise<void> {
  await slurm.cancelAll().catch(() => undefined); // The job ends when the folder is gone, too.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function answerOf(
  folder: string,
  job: string,
  slurm: Slurm,
  { terminal, signal, roots }: RunContext,
): Promise<NodeCheck> {
  for (let nextLook = 0, answer = answerIn(folder); ; answer = answerIn(folder)) {
    if (answer !== undefined) {
      terminal.liveDone();
      return answer;
    }
    await sleep(100, undefined, { signal });
    if (performance.now() < nextLook) continue;
    nextLook = performance.now() + 2000;
    const [listed] = await slurm.list();
    if (listed === undefined && answerIn(folder) === undefined) {
      await sleep(visibleMs, undefined, { signal });
      if (answerIn(folder) === undefined) throw withoutAnswer(folder, job, roots);
    }
    const where = listed?.node ? `on ${listed.node}` : `waits in SLURM's queue ${listed?.reason ?? ""}`;
    terminal.live([`checking a node: job ${job} ${where}`]);
  }
}

/** A share may show a file so much later. */
const visibleMs = 5000;

function withoutAnswer(folder: string, job: string, roots: Roots | undefined): CliprpnError {
  const log = join(folder, `${job}.log`);
  const said = existsSync(log) ? lastLines(readFileSync(log, "utf8")) : "";
  return new CliprpnError(
    "environment_broken",
    `job ${job} ended without an answer: ${said || `it printed nothing, or the node does not see ${pathThere(folder, roots)}`}. Nodes need the Python of this machine, or \`setup\` lines that provide it, and the runs folder (--runs-dir)`,
  );
}
