import { EXIT } from "../contract/errors.ts";
import { diagnose } from "../runtime/diagnose.ts";
import type { Arguments, Context } from "./command.ts";

/** `cliprpn doctor`: what is there, what is missing, how to mend it. */
export async function doctor(args: Arguments, { terminal, env }: Context): Promise<number> {
  const findings = await diagnose(env, args.text("python"));
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(
    ({ name, state, found, mend }) =>
      `${state.padEnd(7)}  ${name.padEnd(width)}  ${found}${mend === "" ? "" : `\n${" ".repeat(width + 11)}-> ${mend}`}`,
  );
  terminal.result(args.flag("json") ? JSON.stringify(findings, null, 2) : lines.join("\n"));
  return findings.every(({ state }) => state === "ok") ? EXIT.good : EXIT.environment;
}
