import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { counted, joinWords } from "../../base/format.ts";
import { guardedCommand, killGroup } from "../../base/process-group.ts";
import { pythonEnv } from "../../base/python-env.ts";
import { CliprpnError, EXIT } from "../../contract/errors.ts";
import type { LocalEngineOptions } from "../../engine/local/local-engine.ts";
import { pilotCommand, pilotModulePath } from "../../engine/queue/pilot-command.ts";
import { QueueFolder } from "../../engine/queue/queue-folder.ts";
import { packageRoot } from "../../package-root.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { slotsFor } from "../choose-slots.ts";
import { engineOptions, openEngine } from "../open-engine.ts";
import type { RunContext } from "../run-context.ts";

export interface JoinOptions {
  /** Workers end when the queue was empty for this time. */
  idleS: number;
  /** Folder on this machine's own disk for copies of features. */
  nodeCache?: string | undefined;
  /** Folders of the machine that runs the sweep, and where they are on this one: FROM=TO. */
  replace: readonly string[];
}

/**
 * Runs trials of a sweep that another process runs with `--engine queue`, maybe on another machine, until it ends.
 *
 * @returns the exit code.
 * @throws CliprpnError bad_input if the sweep has no queue; interrupted.
 */
export async function joinSweep(store: SweepStore, options: JoinOptions, run: RunContext): Promise<number> {
  if (!new QueueFolder(store.queueFolder).isOpen)
    throw new CliprpnError(
      "bad_input",
      `${store.folder}: expected a sweep that runs with --engine queue, found none; start it first: \`cliprpn sweep FILE --engine queue\``,
    );
  const specs = store.read().trials.flatMap(({ spec, asked }) => (asked ? [spec] : []));
  const slots = await slotsHere(specs, run);
  const started = await engineOptions(run, specs);
  run.terminal.info(
    `Joined sweep ${store.name} with ${counted(slots.length, "worker")} on ${joinWords([...new Set(slots)])}. Press Ctrl-C to leave: running trials are handed back.`,
  );
  const codes = await Promise.all(
    slots.map((device, index) => runPilots(store, { ...started, device }, index, options, run)),
  );
  run.signal.throwIfAborted();
  return codes.some((code) => code !== 0) ? EXIT.environment : EXIT.good;
}

async function slotsHere(specs: Parameters<typeof slotsFor>[0], run: RunContext): Promise<string[]> {
  const engine = await openEngine(run, specs);
  try {
    return await slotsFor(specs, engine, run);
  } finally {
    await engine.close();
  }
}

/** Keeps a pilot on one device; one that was lost is started again. @returns the exit code of the last one. */
async function runPilots(
  store: SweepStore,
  started: LocalEngineOptions,
  index: number,
  options: JoinOptions,
  run: RunContext,
): Promise<number> {
  for (let numLost = 0; ; numLost += 1) {
    const startedAt = performance.now();
    const code = await runPilot(store, started, index, options, run);
    const wasLost = code === exitOfLost || code === undefined;
    if (!wasLost || run.signal.aborted) return code ?? EXIT.good;
    if (performance.now() - startedAt < minLifeMs && numLost >= maxQuickLosses) return EXIT.environment;
    run.terminal.warn(`Worker ${index + 1} was lost, and starts again`);
  }
}

/** @returns its exit code; undefined if a signal ended it. */
async function runPilot(
  store: SweepStore,
  { python, device, env, keepPythonPath = false, extraModulePath }: LocalEngineOptions,
  index: number,
  { idleS, replace, nodeCache }: JoinOptions,
  { terminal, signal }: RunContext,
): Promise<number | undefined> {
  const [file = "", ...args] = pilotCommand({
    python,
    queue: store.queueFolder,
    device,
    idleS,
    replace,
    nodeCache,
    ...(extraModulePath === undefined ? {} : { extraModulePath }),
  });
  const cleaned = pythonEnv({ ...process.env, ...env }, { keepPath: keepPythonPath });
  const pilot = spawn(...guardedCommand(file, args), {
    cwd: join(packageRoot, "python"), // For -m; the user's folder may have modules of any name.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...cleaned, PYTHONPATH: pilotModulePath(cleaned.PYTHONPATH) },
  });
  const leave = (): void => {
    pilot.kill("SIGTERM");
  };
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  try {
    forwardLines(pilot, (line) => terminal.info(`[worker ${index + 1}] ${line}`));
    return await new Promise<number | undefined>((resolve, reject) => {
      pilot.on("error", reject);
      pilot.on("close", (code) => resolve(code ?? undefined));
    });
  } finally {
    signal.removeEventListener("abort", leave);
    killGroup(pilot.pid);
  }
}

/** The exit code of a pilot whose attempt was taken away: it can be started again. */
const exitOfLost = 4;

/** A pilot that lives for less time will hardly live longer the next time. */
const minLifeMs = 10_000;
const maxQuickLosses = 3;

function forwardLines({ stdout, stderr }: ChildProcess, forward: (line: string) => void): void {
  for (const stream of [stdout, stderr]) {
    let rest = "";
    stream?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) forward(line);
    });
  }
}
