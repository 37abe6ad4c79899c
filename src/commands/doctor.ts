import { resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { diagnose } from "../environment/diagnose.ts";
import { broken, type DoctorRow } from "../environment/doctor-row.ts";
import { readSlurmOptions } from "../experiment/engine-options.ts";
import { checkNode } from "../sweep/machines/check-node.ts";
import { nodeRows } from "../sweep/machines/node-rows.ts";
import { startWorker } from "../sweep/machines/start-worker.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn doctor`: shows what is installed, what is missing, and how to fix it. */
export async function doctor(args: Arguments, context: Context): Promise<number> {
  const { terminal, env, signal } = context;
  const here = await diagnose({ env, signal, python: args.text("python"), startWorker });
  const there = here.ok && args.text("engine") === "slurm" ? await onNode(args, context) : [];
  const rows = [...here.rows, ...there];
  const isOk = rows.every(({ state }) => state === "ok");
  terminal.result(args.flag("json") ? JSON.stringify({ ok: isOk, rows }, null, 2) : table(rows));
  return isOk ? EXIT.good : EXIT.environment;
}

/** What a job of SLURM finds on its node. @throws CliprpnError bad_input if the options are wrong. */
async function onNode(args: Arguments, context: Context): Promise<DoctorRow[]> {
  const run = { ...runContext(args, context), runsDir: resolve(context.cwd, args.text("folder") ?? "runs") };
  const { options } = readSlurmOptions({}, args.text("engine-options"), run.cwd);
  const jobDevice = run.device === "auto" ? undefined : run.device;
  try {
    const there = { slurm: options, roots: options.roots, jobDevice, device: "auto" };
    return nodeRows(await checkNode(options, { ...run, ...there }));
  } catch (error) {
    if (!(error instanceof CliprpnError) || error.code === "interrupted") throw error;
    const found = error.message.replaceAll(/\s*\n\s*/g, " ");
    return [
      broken("node of SLURM", found, "correct the options: engines/lab.json, or --engine-options FILE"),
    ];
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
