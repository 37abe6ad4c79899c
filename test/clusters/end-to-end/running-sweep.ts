import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { JournalEntry } from "../../../src/contract/generated/types.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { SweepStore } from "../../../src/store/sweep-store.ts";
import { Mark, send } from "../../helpers/marked.ts";

export interface SweepCommand {
  name: string;
  /** The current folder of the command. */
  folder: string;
  runsDir: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** The command of a sweep, which may be killed and run again. */
export class RunningSweep {
  /** Its processes. */
  readonly mark: Mark;
  readonly store: SweepStore;
  readonly #command: SweepCommand;
  #child: ChildProcessByStdio<null, null, Readable>;
  #err = "";
  #code: Promise<number | null>;
  #hasEnded = false;

  constructor(command: SweepCommand) {
    this.#command = command;
    this.store = new SweepStore(join(command.folder, command.runsDir), command.name);
    this.mark = new Mark(this.store.runsDir);
    [this.#child, this.#code] = this.#start();
  }

  /** Waits until `look` finds something. @throws Error if the command ends before. */
  async until<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    for (let isLast = false; ; await sleep(pollMs)) {
      const found = look();
      if (found !== undefined) return found;
      if (isLast) throw new Error(`the sweep ended before ${what}:\n${this.#err}`);
      isLast = this.#hasEnded;
    }
  }

  /** Waits until the journal says that an attempt ended in one of these ways. */
  async untilEnded(trial_id: string, attempt: number, ...states: TrialEnd["state"][]): Promise<void> {
    const end = await this.until(`the end of attempt ${attempt} at ${trial_id}`, () =>
      this.ends().find((each) => each.trial_id === trial_id && each.attempt === attempt),
    );
    if (!states.includes(end.state))
      throw new Error(
        `attempt ${attempt} at ${trial_id}: expected ${states.join(" or ")}, found ${end.state}`,
      );
  }

  ends(): TrialEnd[] {
    return this.store.journal.entries().filter((entry) => entry.type === "trial_finished");
  }

  async killAndRunAgain(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#code;
    [this.#child, this.#code] = this.#start();
    // It follows what the one before had started.
    const numStarts = this.#numStarts();
    await this.until("the command has started again", () => this.#numStarts() > numStarts || undefined);
  }

  /** @returns the exit code. */
  async ended(): Promise<{ code: number | null; err: string }> {
    return { code: await this.#code, err: this.#err };
  }

  /** Ends whatever is left of it. */
  kill(): void {
    for (const { pid } of this.mark.processes()) send(pid, "SIGKILL");
  }

  #numStarts(): number {
    return this.store.exists
      ? this.store.journal.entries().filter(({ type }) => type === "sweep_started").length
      : 0;
  }

  #start(): [ChildProcessByStdio<null, null, Readable>, Promise<number | null>] {
    const { folder, args, env } = this.#command;
    this.#hasEnded = false;
    this.#err = "";
    const child = spawn(process.execPath, [join(packageRoot, "bin/cliprpn.js"), "sweep", ...args], {
      cwd: folder,
      env: { ...process.env, PYTHONPATH: undefined, ...env, ...this.mark.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
    });
    const code = new Promise<number | null>((resolve) =>
      child.on("close", (status) => {
        this.#hasEnded = true;
        resolve(status);
      }),
    );
    return [child, code];
  }
}

export type TrialEnd = Extract<JournalEntry, { type: "trial_finished" }>;

const pollMs = 5;
