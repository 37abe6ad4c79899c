/** A closed terminal sends SIGHUP: it stops a sweep cleanly, unless nohup started it. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type CliProcess, startCli } from "../helpers/cli-process.ts";
import { type MarkedProcesses, markProcesses, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("hangup");

beforeAll(async () => {
  const data = join(folder, "data");
  await makeSmallDemo(data);
  const experiment = {
    name: "hangup",
    question: "Does the sweep survive?",
    dataset: { name: "scenes", root: data },
    vary: { fusion: ["film"] },
    seeds: [0],
    num_threads: 1,
    settings: { training: { num_epochs: 2 } },
  };
  writeFileSync(join(folder, "hangup.json"), JSON.stringify(experiment));
});

/** A sweep that is running its trial. */
async function running(
  runs: string,
  launcher: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CliProcess & { processes: MarkedProcesses }> {
  const processes = markProcesses();
  const args = ["sweep", "hangup.json", "--python", testPython(), "--runs-dir", runs, "--json"];
  const cache = { CLIPRPN_CACHE: join(folder, "cache") };
  const cli = startCli(args, folder, { ...processes.env, ...cache, ...env }, launcher);
  await cli.prints(/"type":"trial".*"running"/);
  return { ...cli, processes };
}

/** Like a cluster that ends a job, and more than a terminal does: it reaches only the processes in its foreground. */
function hangUp({ running }: MarkedProcesses): void {
  for (const line of running()) process.kill(Number.parseInt(line, 10), "SIGHUP");
}

test.each<[what: string, launcher: string[], env: NodeJS.ProcessEnv]>([
  ["nohup", ["nohup"], {}],
  ["a shell that ignores it", ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh"], {}],
  // Node, such as npx, restores the default action; the variable of the shell that called nohup stays.
  ["nohup of another Node", [process.execPath], { _: "/usr/bin/nohup" }],
])("a sweep started by %s finishes after SIGHUP to all of its processes", async (what, launcher, env) => {
  const sweep = await running(what.replaceAll(" ", "-"), launcher, env);
  hangUp(sweep.processes);
  expect(await sweep.ended, sweep.err()).toBe(0);
  expect(existsSync(join(folder, JSON.parse(sweep.out().trim().split("\n").at(-1) ?? "").report_file))).toBe(
    true,
  );
  await untilNone(sweep.processes);
});

test.each<[what: string, launcher: string[]]>([
  ["its name", []],
  ["node", [process.execPath]],
])("a sweep started by %s stops cleanly after SIGHUP to all of its processes", async (what, launcher) => {
  const sweep = await running(what.replaceAll(" ", "-"), launcher);
  hangUp(sweep.processes);
  expect(await sweep.ended).toBe(130);
  expect(sweep.err()).toMatch(/Interrupted.*resume/);
  await untilNone(sweep.processes);
});
