import { resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { diagnose } from "../environment/diagnose.ts";
import { broken, type DoctorRow } from "../environment/doctor-row.ts";
import { readSlurmOptions } from "../experiment/engine-options.ts";
import { checkRayNodes } from "../sweep/machines/check-ray-nodes.ts";
import { checkSlurmNode, listNodes } from "../sweep/machines/check-slurm-node.ts";
import { nodeRows } from "../sweep/machines/node-rows.ts";
import { rayRows } from "../sweep/machines/ray-rows.ts";
import { partitionRows } from "../sweep/machines/slurm-rows.ts";
import { startWorker } from "../sweep/machines/start-worker.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { checkEngineOf, withRay } from "./cluster-options.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn doctor`: shows what is installed, what is missing, and how to fix it. */
export async function doctor(args: Arguments, context: Context): Promise<number> {
  const { terminal, env, signal } = context;
  const engine = (["local", "slurm", "ray"] as const).find((name) => name === args.text("engine"));
  checkEngineOf(args, engine);
  const here = await diagnose({ env, signal, python: args.text("python"), startWorker });
  const there = here.ok ? await elsewhere(engine, args, context) : [];
  const rows = [...here.rows, ...there];
  const isOk = rows.every(({ state }) => state === "ok");
  terminal.result(args.flag("json") ? JSON.stringify({ ok: isOk, rows }, null, 2) : table(rows));
  return isOk ? EXIT.good : EXIT.environment;
}

/** What nodes of a cluster have. @throws CliprpnError bad_input if the options are wrong. */
async function elsewhere(
  engine: RunContext["engine"],
  args: Arguments,
  context: Context,
): Promise<DoctorRow[]> {
  const { device, ...common } = runContext(args, context);
  const jobDevice = device === "auto" ? undefined : device;
  const runsDir = resolve(context.cwd, args.text("folder") ?? "runs");
  const run: RunContext = { ...common, runsDir, device: "auto", jobDevice };
  if (engine === "slurm") {
    const { options } = readSlurmOptions({}, args.text("engine-options"), run.cwd);
    const withSlurm = { ...run, slurm: options, roots: options.roots };
    const advice = "correct the options: engines/lab.json, or --engine-options FILE";
    const rows = await orBroken("SLURM", advice, async () => partitionRows(await listNodes(options, run)));
    if (rows.some(({ state }) => state !== "ok")) return rows; // The job would wait for a person.
    return [
      ...rows,
      ...(await orBroken("node of SLURM", advice, async () =>
        nodeRows(await checkSlurmNode(options, withSlurm), "slurm"),
      )),
    ];
  }
  if (engine === "ray") {
    const onRay = withRay(run, { experiment: {} }, args);
    return orBroken("Ray", "start a cluster, or correct its address: --ray-address HOST:PORT", async () =>
      rayRows(await checkRayNodes(onRay)),
    );
  }
  return [];
}

/** The rows of a check, or one with the reason why there are none. */
async function orBroken(
  name: string,
  advice: string,
  check: () => Promise<DoctorRow[]>,
): Promise<DoctorRow[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof CliprpnError) || error.code === "interrupted") throw error;
    return [broken(name, error.message.replaceAll(/\s*\n\s*/g, " "), advice)];
  }
}

function table(rows: DoctorRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .flatMap(({ name, state, found, how_to_fix }) => [
      `${state.padEnd(7)}  ${name.padEnd(width)}  ${found}`,
      ...(how_to_fix === "" ? [] : [`${" ".repeat(width + 11)}-> ${how_to_fix}`]),
    ])
    .join("\n");
}
