/** A sweep on a cluster whose processes are killed, frozen and preempted, against the same sweep on this machine. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeProcess } from "../../helpers/marked.ts";
import { compareSweeps } from "./compare-sweeps.ts";
import { RunningSweep } from "./running-sweep.ts";
import type { Site } from "./site.ts";
import { type EngineOfSite, sites } from "./sites.ts";

export interface EndToEndOptions {
  /** An empty folder, or that of another engine, whose sweep on this machine is used again. */
  folder: string;
  experiment: { name: string };
  python: string;
  engine: EngineOfSite;
  say: (line: string) => void;
}

/** @throws Error with the first thing that is not as it must be. */
export async function runEndToEnd(options: EndToEndOptions): Promise<void> {
  const { folder, experiment, python, engine, say } = options;
  const { name } = experiment;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(experiment));
  const site = await sites[engine](folder);
  const start = (runsDir: string, args: readonly string[], env: NodeJS.ProcessEnv): RunningSweep =>
    new RunningSweep({
      ...{ name, folder, runsDir },
      args: [file, "--python", python, "--runs-dir", runsDir, ...args],
      env: { ...env, CLIPRPN_CACHE: join(folder, `${runsDir}-cache`) },
    });
  const sweep = start(`on-${engine}`, site.args, site.env);
  try {
    for (const { what, happen } of site.disturbances) {
      await happen(sweep);
      say(`${time()} ${what}`);
    }
    await checkEnd(sweep, site);
    say(`${time()} the sweep on the cluster has completed`);
  } finally {
    sweep.kill();
    await site.stop();
  }
  const here = start("here", [], {});
  try {
    const { code, err } = await here.ended();
    assert.equal(code, 0, err);
    say(`${time()} the sweep on this machine has completed`);
  } finally {
    here.kill();
  }
  say(compareSweeps(sweep.store, here.store));
}

/** Everything has ended, by itself. */
async function checkEnd(sweep: RunningSweep, site: Site): Promise<void> {
  const { code, err } = await sweep.ended();
  assert.equal(code, 0, err);
  const end = performance.now() + graceMs;
  const left = (): string[] => [
    ...sweep.mark.processes().map(describeProcess),
    ...site.left().split("\n").filter(Boolean),
  ];
  while (left().length > 0 && performance.now() < end) await sleep(100);
  assert.deepEqual(left(), [], "processes or jobs are left");
}

/** For what a cluster does after the end of a job. */
const graceMs = 30_000;

function time(): string {
  return new Date().toISOString().slice(11, 19);
}
