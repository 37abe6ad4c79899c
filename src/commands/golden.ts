import { resolve } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn golden FILES`: prints the largest difference of every output; exit code 1 beyond the tolerance. */
export async function golden(args: Arguments, context: Context): Promise<number> {
  const engine = await openEngine(runContext(args, context));
  try {
    const [first = "", ...others] = args.list("files").map((file) => resolve(context.cwd, file));
    const { rows } = await engine.call("golden", { files: [first, ...others] });
    const lines = rows.map(
      ({ file, output, max_abs_diff, ok }) =>
        `${ok ? "ok  " : "FAIL"} ${output.padEnd(18)} ${max_abs_diff.toExponential(2)}  ${file}`,
    );
    context.terminal.result(args.flag("json") ? JSON.stringify(rows, null, 2) : lines.join("\n"));
    return rows.every(({ ok }) => ok) ? EXIT.good : EXIT.internal;
  } finally {
    await engine.close();
  }
}
