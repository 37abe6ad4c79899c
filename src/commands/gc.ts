import { EXIT } from "../contract/errors.ts";
import { cacheDir } from "../environment/cache.ts";
import { collectGarbage, planGarbage } from "../runs/collect-garbage.ts";
import { gcText, totals } from "../runs/gc-text.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn gc`: shows what can be removed from the runs folder; with `--yes`, removes it. */
export async function gc(args: Arguments, context: Context): Promise<number> {
  const { runsDir, cwd, env, commandLine, signal, terminal } = runContext(args, context);
  const request = {
    runsDir,
    cache: cacheDir(env),
    options: {
      resumable: args.flag("resumable"),
      oldCode: args.flag("old-code"),
      unasked: args.flag("unasked"),
      lastModels: args.flag("last-models"),
      jointData: args.flag("joint-data"),
      logsOlderThanDays: args.number("logs-older-than") ?? 30,
    },
    command: commandLine,
    signal,
  };
  const isDone = args.flag("yes");
  const plan = isDone ? await collectGarbage(request) : planGarbage(request);
  const json = { done: isDone, totals: totals(plan.removals), ...plan };
  terminal.result(args.flag("json") ? JSON.stringify(json, null, 2) : gcText(plan, isDone, cwd));
  return EXIT.good;
}
