/** A job of an array, as squeue lists it. */
export interface ListedJob {
  /** `12_3`: the array and the job's number in it. */
  id: string;
  state: JobState;
  /** Whether its script runs: its node has started, and it is not about to end. */
  isRunning: boolean;
  /** Where it runs; empty if it does not. */
  node: string;
  /** Why it waits, in SLURM's word; empty if it does not wait. */
  reason: string;
  /** How it ended, in SLURM's word, such as TIMEOUT; empty if it has not. */
  end: string;
}

export type JobState =
  /** It runs, or is about to end: what it writes still counts. */
  | "alive"
  | "waiting"
  /** SLURM holds it back for minutes, as after a requeue. */
  | "held"
  | "ended";

/** For `squeue --format`. */
export const squeueFormat = "%F|%K|%T|%N|%r";

/** The jobs in the output of squeue. */
export function parseSqueue(output: string): ListedJob[] {
  return output.split("\n").flatMap((line) => {
    const [array, task, state = "", node = "", ...rest] = line.trim().split("|");
    if (array === undefined || task === undefined || !/^\d+$/.test(array) || !/^\d+$/.test(task)) return [];
    const reason = rest.join("|");
    const jobState = stateOf(state, reason);
    const isWaiting = state === "PENDING" || state === "REQUEUED" || state === "REQUEUE_HOLD";
    return [
      {
        id: `${array}_${task}`,
        state: jobState,
        isRunning: state === "RUNNING",
        node,
        reason: isWaiting && reason !== "None" ? reason : "",
        end: jobState === "ended" ? state : "",
      },
    ];
  });
}

function stateOf(state: string, reason: string): JobState {
  if (alive.has(state)) return "alive";
  if (state === "REQUEUE_HOLD" || state === "SPECIAL_EXIT") return "held";
  if (state === "PENDING" || state === "REQUEUED") return holds.test(reason) ? "held" : "waiting";
  return "ended";
}

/** A job that is killed is COMPLETING for as long as its processes live. */
const alive = new Set([
  "RUNNING",
  "COMPLETING",
  "CONFIGURING",
  "RESIZING",
  "SIGNALING",
  "STAGE_OUT",
  "STOPPED",
  "SUSPENDED",
]);

/** Reasons of jobs that will not start soon, or not at all without a person. */
const holds =
  /^(BeginTime|JobHeldUser|JobHeldAdmin|JobHoldMaxRequeue|launch failed requeued held|DependencyNeverSatisfied|BadConstraints|InvalidAccount|InvalidQOS)$/i;

/** The job in the label of a worker, `slurm:12_3.0@node`. */
export function parseLabel(label: string): { id: string; restart: number; node: string } | undefined {
  const [, id, restart, node] = /^slurm:(\d+_\d+)\.(\d+)@(.*)$/.exec(label) ?? [];
  return id === undefined || node === undefined ? undefined : { id, restart: Number(restart), node };
}
