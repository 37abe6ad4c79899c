import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "../../base/output-tail.ts";
import { check } from "../../contract/check.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { NodeCheck, SlurmOptions } from "../../contract/generated/types.ts";
import { pilotModulePath } from "../../engine/queue/pilot-command.ts";
import { batchScript } from "../../engine/slurm/batch-script.ts";
import { Slurm } from "../../engine/slurm/slurm.ts";
import { engineOptions } from "../open-engine.ts";
import type { RunContext } from "../run-context.ts";
import { type CheckedRoot, RootTokens } from "./root-tokens.ts";
import { pathThere, processThere } from "./roots.ts";
import { deviceOf } from "./slurm-place.ts";

/** What a job on a node found, and how the folder of the runs behaves between it and this machine. */
export interface CheckedNode {
  facts: NodeCheck;
  /** Times from the creation of a file here until the answer to it was seen here. */
  roundTripsMs: number[];
  /** Of `numRaces` files that both sides renamed at the same time, those that exactly one side got. */
  numWon: number;
  numRaces: number;
  roots: CheckedRoot[];
  /** How far the node's clock is ahead of this machine's, as far as the file server's time tells. */
  clockAheadS: number;
}

/**
 * Runs a job on a node, as a sweep would, and tests the runs folder with it.
 *
 * @throws CliprpnError as SLURM's commands; environment_broken if the job ends without an answer; the signal's reason.
 */
export async function checkNode(options: SlurmOptions, run: RunContext): Promise<CheckedNode> {
  mkdirSync(run.runsDir, { recursive: true });
  const folder = mkdtempSync(join(run.runsDir, ".doctor-"));
  const name = `cliprpn-doctor-${folder.slice(-6)}`;
  const slurm = new Slurm(name, run.env);
  let checked: CheckedNode;
  try {
    const { python, env, extraModulePath = [] } = await engineOptions(run, []);
    const variables = Object.entries(env ?? {}).flatMap(([key, value]) => (value ? [[key, value]] : []));
    const { roots = {} } = run;
    const places = Object.values(roots).flatMap((root = "") => ["--root", root]);
    const there = processThere(
      {
        command: [python, "-m", "cliprpn.worker.node_check", folder, "--device", deviceOf(run)],
        env: {
          ...Object.fromEntries(variables),
          PYTHONPATH: [pilotModulePath(undefined), ...extraModulePath].join(":"),
        },
      },
      roots,
    );
    const job = {
      ...there,
      command: [...there.command, ...places], // These are paths of the node.
      name,
      logFolder: pathThere(folder, roots),
      numThreads: null,
    };
    const script = batchScript(job, options, 1);
    const tokens = new RootTokens(roots, `${basename(folder)}-root`);
    let facts: NodeCheck;
    try {
      facts = await answerOf(folder, `${await slurm.submit(script)}_0`, slurm, run);
    } finally {
      tokens.remove();
    }
    const roundTripsMs = await ping(folder, run.signal);
    const numWon = await race(folder, run.signal);
    checked = {
      facts,
      roundTripsMs,
      numWon,
      numRaces,
      roots: tokens.compare(facts.roots),
      clockAheadS: clockAhead(folder, facts),
    };
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
  { terminal, signal }: RunContext,
): Promise<NodeCheck> {
  const file = join(folder, "node.json");
  for (let nextLook = 0; !existsSync(file); await sleep(100, undefined, { signal })) {
    if (performance.now() < nextLook) continue;
    nextLook = performance.now() + 2000;
    const [listed] = await slurm.list();
    if (listed === undefined && !existsSync(file)) {
      await sleep(visibleMs, undefined, { signal });
      if (!existsSync(file)) throw withoutAnswer(folder, job);
    }
    const where = listed?.node ? `on ${listed.node}` : `waits in SLURM's queue ${listed?.reason ?? ""}`;
    terminal.live([`checking a node: job ${job} ${where}`]);
  }
  terminal.liveDone();
  return check("NodeCheck", JSON.parse(readFileSync(file, "utf8")), file);
}

/** A share may show a file so much later. */
const visibleMs = 5000;

function withoutAnswer(folder: string, job: string): CliprpnError {
  const log = join(folder, `${job}.log`);
  const said = existsSync(log) ? lastLines(readFileSync(log, "utf8")) : "";
  return new CliprpnError(
    "environment_broken",
    `job ${job} ended without an answer: ${said || `it printed nothing, or the node does not see ${folder}`}. Nodes need the Python of this machine, or \`setup\` lines that provide it, and the runs folder (--runs-dir)`,
  );
}

async function ping(folder: string, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < numPings; number += 1) {
    const started = performance.now();
    writeFileSync(join(folder, `ping-${number}`), "");
    while (!existsSync(join(folder, `pong-${number}`)) && performance.now() - started < maxPingMs)
      await sleep(5, undefined, { signal });
    times.push(performance.now() - started);
  }
  return times;
}

const numPings = 5;
const maxPingMs = 120_000;

/** @returns the number of files that exactly one side got. */
async function race(folder: string, signal: AbortSignal): Promise<number> {
  const files = Array.from({ length: numRaces }, (_, number) => join(folder, `race-${number}`));
  for (const [number, file] of files.entries()) {
    writeFileSync(file, "");
    await sleep(number % 10, undefined, { signal }); // Sometimes this side is faster, sometimes the node.
    try {
      renameSync(file, `${file}.here`);
    } catch {
      // The node was faster.
    }
  }
  await sleep(500, undefined, { signal });
  return files.filter((file) => existsSync(`${file}.here`) !== existsSync(`${file}.node`)).length;
}

const numRaces = 40;

function clockAhead(folder: string, { time_s, server_time_s }: NodeCheck): number {
  const file = join(folder, "here");
  const now = Date.now();
  writeFileSync(file, "");
  return time_s - server_time_s - (now - statSync(file).mtimeMs) / 1000;
}
