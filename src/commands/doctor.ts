import { EXIT } from "../contract/errors.ts";
import { diagnose } from "../environment/diagnose.ts";
import type { DoctorRow } from "../environment/doctor-row.ts";
import { startWorker } from "../sweep/start-worker.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn doctor`: shows what is installed, what is missing, and how to fix it. */
export async function doctor(args: Arguments, { terminal, env, signal }: Context): Promise<number> {
  const report = await diagnose({ env, signal, python: args.text("python"), startWorker });
  terminal.result(args.flag("json") ? JSON.stringify(report, null, 2) : table(report.rows));
  return report.ok ? EXIT.good : EXIT.environment;
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
