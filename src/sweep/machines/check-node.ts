import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { check } from "../../contract/check.ts";
import type { NodeCheck } from "../../contract/generated/types.ts";
import { nodeCacheOption, pilotModulePath } from "../../engine/queue/pilot-command.ts";
import { engineOptions } from "../open-engine.ts";
import type { RunContext } from "../run-context.ts";
import { type CheckedRoot, RootTokens } from "./root-tokens.ts";
import { processThere } from "./roots.ts";

/** What a process on a node found, and how the folder of the runs behaves between it and this machine. */
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
 * The node's side, with the Python that trials have, as the node's paths are. It ends when the folder of its answers is removed.
 *
 * @param folder in the runs folder; for its answers.
 */
export async function nodeSide(
  run: RunContext,
  folder: string,
  { device, nodeCache }: { device: string; nodeCache: string | undefined },
): Promise<{ command: string[]; env: Record<string, string> }> {
  const { python, env, extraModulePath = [] } = await engineOptions(run, []);
  const variables = Object.entries(env ?? {}).flatMap(([key, value]) => (value ? [[key, value]] : []));
  const { roots = {} } = run;
  const places = Object.values(roots).flatMap((root = "") => ["--root", root]);
  const there = processThere(
    {
      command: [python, "-m", "cliprpn.worker.node_check", folder, "--device", device],
      env: {
        ...Object.fromEntries(variables),
        PYTHONPATH: [pilotModulePath(undefined), ...extraModulePath].join(":"),
      },
    },
    roots,
  );
  // These are paths of the node.
  return { ...there, command: [...there.command, ...places, ...nodeCacheOption(nodeCache)] };
}

/** Files by which nodes recognize the roots. @param folder as for `nodeSide`. */
export function rootTokens({ roots = {} }: RunContext, folder: string): RootTokens {
  return new RootTokens(roots, `${basename(folder)}-root`);
}

/** What a node has said in a folder; undefined before. */
export function answerIn(folder: string): NodeCheck | undefined {
  const file = join(folder, "node.json");
  return existsSync(file) ? check("NodeCheck", JSON.parse(readFileSync(file, "utf8")), file) : undefined;
}

/** Tests the folder together with a node that has answered. @throws the signal's reason. */
export async function testFolder(
  folder: string,
  facts: NodeCheck,
  tokens: RootTokens,
  signal: AbortSignal,
): Promise<CheckedNode> {
  const roundTripsMs = await ping(folder, signal);
  const numWon = await race(folder, signal);
  const roots = tokens.compare(facts.roots);
  return { facts, roundTripsMs, numWon, numRaces, roots, clockAheadS: clockAhead(folder, facts) };
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
