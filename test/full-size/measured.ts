import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { descendants, peakBytes } from "../bench/cli.ts";
import { cli } from "../bench/scenes.ts";

export interface Measured {
  code: number | undefined;
  /** What it printed on stdout and stderr. */
  output: string;
  duration_ms: number;
  /** Largest resident set of its largest process, with the pages of memory-mapped files; undefined outside of Linux. */
  peak_bytes: number | undefined;
}

/** Runs `cliprpn` with these arguments. */
export async function runMeasured(args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Measured> {
  const started = performance.now();
  const running = execa(process.execPath, [cli, ...args], { cwd, env, all: true, reject: false });
  let peak_bytes = 0;
  const timer =
    process.platform === "linux" &&
    setInterval(() => {
      const pid = running.pid ?? 0;
      peak_bytes = Math.max(peak_bytes, ...[pid, ...descendants(pid)].map(peakBytes));
    }, 500);
  const { exitCode, all } = await running;
  if (timer !== false) clearInterval(timer);
  return {
    code: exitCode,
    output: all,
    duration_ms: performance.now() - started,
    peak_bytes: timer === false ? undefined : peak_bytes,
  };
}
