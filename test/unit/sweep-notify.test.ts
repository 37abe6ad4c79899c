/** What `--notify` runs at the end of a sweep: real commands, and a sweep whose attempts end when they are told to. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { check } from "../../src/contract/check.ts";
import { codeHashes } from "../../src/contract/code-identity.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { SweepNotice } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { stopSweep } from "../../src/runs/stop-sweep.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { notify } from "../../src/sweep/notify.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { broken, complete, endless } from "../helpers/controlled-sweep.ts";
import { noCall } from "../helpers/made-preparation.ts";
import { until } from "../helpers/processes.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec, madeSummary } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { type Play, StandInLauncher } from "../helpers/stand-in-launcher.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => engine }));
vi.mock("../../src/sweep/prepare/prepare-trials.ts", () => ({ prepareTrials: async () => prepared() }));
vi.mock("../../src/sweep/results/make-report.ts", () => ({
  makeReport: async () => ({ file: "REPORT.md", summary: madeSummary([{ label: "film", acc: [0.5] }]) }),
}));

let play: Play = complete;
let prepared = (): Map<string, number> => new Map();
const engine: Engine = {
  launch: (options) => new StandInLauncher(options, (attempt) => play(attempt)),
  call: noCall,
  device: async () => "cpu",
  close: async () => undefined,
};
const name = 'made $(touch "made")';
const notice: SweepNotice = {
  schema_version: 1,
  sweep: name,
  folder: "/runs/sweeps/made",
  state: "failed",
  exit_code: 3,
  message: null,
  num_trials: 3,
  num_completed: 2,
  num_failed: 1,
  best: {
    label: "`id`; 'film'\n",
    num_trials: 3,
    num_completed: 2,
    acc_at_50: { mean: 0.5, min: 0.4, max: 0.6 },
  },
  report_file: null,
  started_at: "2026-01-01T00:00:00.000Z",
  duration_ms: 1234.5,
};

let folder: string;
let terminal: ReturnType<typeof recordingTerminal>;
beforeEach(() => {
  folder = tempFolder();
  terminal = recordingTerminal();
  prepared = () => new Map();
});

function run(command: string, timeoutMs?: number): Promise<void> {
  return notify(command, notice, { ...contextIn(folder, terminal), cwd: folder }, timeoutMs);
}

describe("the command", () => {
  test("gets the notice on standard input and in variables, which no shell reads as commands", async () => {
    await run(
      'cat > notice.json; printf "%s|%s|%s" "$CLIPRPN_SWEEP" "$CLIPRPN_BEST" "$CLIPRPN_REPORT_FILE" > variables',
    );
    const text = readFileSync(join(folder, "notice.json"), "utf8");
    expect(check("SweepNotice", JSON.parse(text), "notice.json")).toEqual(notice);
    expect(readFileSync(join(folder, "variables"), "utf8")).toBe(`${name}|${notice.best?.label}|`);
    expect(existsSync(join(folder, "made"))).toBe(false);
    expect(terminal.lines).toEqual([]);
  });

  test.each([
    ["an exit code", "echo no such user >&2; exit 7", /warning: .*exit code 7: no such user/],
    ["a signal", "kill -TERM $$", /warning: .*SIGTERM/],
    ["no such program", "no-such-program-here", /warning: .*exit code 127.*no-such-program-here/],
    ["a success that prints something", "cat > /dev/null; echo sent", /^--notify: sent$/],
    ["a process that it leaves", "sleep 30 & echo $! > pid; echo left", /^--notify: left$/],
  ])("may end with %s, which is shown", async (_, command, shown) => {
    await run(command);
    expect(terminal.lines).toEqual([expect.stringMatching(shown)]);
    const left = join(folder, "pid");
    if (existsSync(left)) process.kill(Number(readFileSync(left, "utf8")), "SIGKILL");
  });

  test("is stopped with its processes when it takes too long", async () => {
    await run("sleep 600 & echo $! > pid; wait", 300);
    expect(terminal.lines).toEqual([expect.stringMatching(/warning: .*0\.3 s/)]);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    await until(() => !isAlive(pid));
  });

  test("that reads nothing does no harm", async () => {
    await notify("exec <&-", { ...notice, message: "x".repeat(1_000_000) }, contextIn(folder, terminal));
    expect(terminal.lines).toEqual([]);
  });
});

describe("at the end of a sweep", () => {
  test("that completes or fails, the command gets counts, best configuration and report", async () => {
    play = complete;
    expect(await start().ended).toBe(0);
    expect(written()).toMatchObject({
      state: "completed",
      exit_code: 0,
      num_trials: 2,
      num_completed: 2,
      num_failed: 0,
      best: { label: "film", num_completed: 2, acc_at_50: { mean: 0.5 } },
      report_file: join(folder, "sweeps", "made", "REPORT.md"),
      message: null,
    });
    folder = tempFolder();
    play = () => broken("loss_not_finite", "NaN at step 3");
    expect(await start().ended).toBe(3);
    expect(written()).toMatchObject({
      state: "failed",
      exit_code: 3,
      num_failed: 2,
      best: null,
      report_file: null,
    });
  });

  test("that is stopped or interrupted, the lock is free when the command runs", async () => {
    play = endless;
    const { ended, store } = start();
    const end = expect(ended).rejects.toMatchObject({ code: "interrupted" });
    await until(() => (store.status()?.running.length ?? 0) > 0);
    const asking = { terminal, commandLine: "cliprpn stop made", signal: new AbortController().signal };
    await stopSweep(store, undefined, asking);
    await end;
    expect(written()).toMatchObject({ state: "stopped", exit_code: 130 });
    expect(written().message).toContain("cliprpn stop made");
    const again = start();
    const secondEnd = expect(again.ended).rejects.toThrow();
    await until(() => (store.status()?.running.length ?? 0) > 0);
    again.stop.abort();
    await secondEnd;
    expect(written()).toMatchObject({ state: "interrupted", exit_code: 130, num_completed: 0 });
  });

  test("that ends with a fault, the command gets its message, and the fault stays the end", async () => {
    prepared = () => {
      throw new CliprpnError("no_space", "/data: the disk is full");
    };
    await expect(start().ended).rejects.toMatchObject({ code: "no_space" });
    expect(written()).toMatchObject({ state: "fault", exit_code: 4, message: "/data: the disk is full" });
    prepared = () => {
      throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
    };
    await expect(start("exit 1").ended).rejects.toMatchObject({ code: "EACCES" });
    expect(terminal.lines.join("\n")).toContain("exit code 1");
  });
});

function start(command = "cat > notice.json"): {
  ended: Promise<number>;
  store: SweepStore;
  stop: AbortController;
} {
  const stop = new AbortController();
  const specs = [0, 1].map((seed) => ({ ...madeSpec("film", seed), sources_sha256: codeHashes().cliprpn }));
  const experiment = { name: "made", question: "Which one?" };
  const plan = { ...experiment, published: [], keep_models: "all" as const, alpha: 0.05, trials: specs };
  const [first] = specs;
  if (first === undefined) throw new Error("trials were made");
  const source = { file: "made.json", sets: [] };
  const context = {
    ...contextIn(folder, terminal),
    runsDir: folder,
    cwd: folder,
    notify: command,
    signal: stop.signal,
  };
  const ended = runSweep(
    { experiment, plan, dataset: first.dataset, targets: [], source, split: "val" },
    { ...context, numWorkers: 1 },
  );
  return { ended, store: new SweepStore(folder, "made"), stop };
}

function written(): SweepNotice {
  return check("SweepNotice", JSON.parse(readFileSync(join(folder, "notice.json"), "utf8")), "notice.json");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
