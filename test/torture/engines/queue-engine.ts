import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { namesIn } from "../../../src/base/files.ts";
import { stagingName } from "../../../src/base/replace-file.ts";
import { QueueFolder } from "../../../src/engine/queue/queue-folder.ts";
import { SweepStore } from "../../../src/store/sweep-store.ts";
import { send } from "../../helpers/marked.ts";
import type { Role } from "../fault-board.ts";
import type { Running } from "../run-sweep.ts";
import { sweepName, type WorkFolder } from "../work-folder.ts";
import type { TorturedEngine } from "./tortured-engine.ts";

/** Workers that join, by a command which is started again when it has ended. */
export const queueEngine: TorturedEngine = {
  args: ["--engine", "queue", "--lease-seconds", "8"],
  victims: ["cli", "join", "pilot", "pilot", "child", "survivor", "frozen pilot"],
  // A command that ends since its disk is full cannot tell them to end.
  outlives: (role, code) => code !== 0 && isElsewhere(role),
  disturb: (victim, work, running) => (victim === "frozen pilot" ? freezePilot(work, running) : undefined),
  checkEmpty: checkEmptyQueue,
  beside: (work, mark, start) => {
    const queue = queueOf(work);
    const timer = setInterval(() => {
      const hasJoined = mark.processes().some(({ line }) => line.includes("cliprpn.js worker "));
      if (!hasJoined && queue.isOpen) start(["worker", "--join", sweepName, "--idle-minutes", "5"]);
    }, 300);
    return { stop: () => clearInterval(timer) };
  },
};

/** @throws AssertionError if a queue has attempts or workers; the file of one that refused to work says why. */
export function checkEmptyQueue(work: WorkFolder): void {
  const queue = queueOf(work);
  const refused = queue.pilotNames().filter((name) => queue.pilot(name)?.state === "refused");
  for (const name of ["waiting", "claimed", "cancel", "ended", "events", "pilots"])
    assert.deepEqual(
      namesIn(join(queue.folder, name)).filter(
        (each) => !stagingName.test(each) && !refused.includes(each.replace(/\.json$/, "")),
      ),
      [],
      `what is left in queue/${name}`,
    );
}

/** Whether a role works for a sweep without being a process of its command; shells are those of `join`. */
export function isElsewhere(role: Role): boolean {
  return ["join", "pilot", "child", "survivor", "other"].includes(role);
}

/**
 * Suspends a pilot and its Python until it is lost, and wakes them then.
 *
 * @returns false if there is none.
 */
export async function freezePilot(work: WorkFolder, { mark, hasEnded }: Running): Promise<boolean> {
  const queue = queueOf(work);
  const pilots = queue.pilotNames().flatMap((name) => queue.pilot(name) ?? []);
  const processes = mark.processes();
  for (const { name, state, process } of pilots) {
    if (state !== "ready" || !processes.some(({ pid }) => pid === process.pid)) continue;
    const pids = processes.flatMap(({ pid, parent }) =>
      pid === process.pid || parent === process.pid ? [pid] : [],
    );
    for (const pid of pids) send(pid, "SIGSTOP");
    while (!hasEnded() && !namesIn(join(queue.folder, "barred")).includes(name)) await sleep(10);
    for (const pid of pids) send(pid, "SIGCONT");
    return true;
  }
  return false;
}

function queueOf({ runs }: WorkFolder): QueueFolder {
  return new QueueFolder(new SweepStore(runs, sweepName).queueFolder);
}
