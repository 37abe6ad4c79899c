import { availableParallelism } from "node:os";
import { counted, formatBytes, joinWords } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { RunContext } from "./run-context.ts";

/**
 * The device of each slot, for trials on this machine. Without --device and --devices, trials run on all visible GPUs.
 *
 * @throws CliprpnError bad_input if a device of --devices does not exist.
 */
export async function slotsFor(
  waiting: readonly TrialSpec[],
  engine: Engine,
  run: Pick<RunContext, "device" | "devices" | "numWorkers" | "slotsPerDevice">,
): Promise<string[]> {
  return chooseSlots(requestOf(waiting, await devicesOf(engine, run), run), thisMachine());
}

/** The slots of trials on the CPU of this machine, without asking Python. */
export function slotsOnCpu(
  waiting: readonly TrialSpec[],
  run: Pick<RunContext, "numWorkers" | "slotsPerDevice">,
): string[] {
  return chooseSlots(requestOf(waiting, ["cpu"], run), thisMachine());
}

function requestOf(
  waiting: readonly TrialSpec[],
  devices: readonly string[],
  { numWorkers, slotsPerDevice }: Pick<RunContext, "numWorkers" | "slotsPerDevice">,
): SlotRequest {
  const numThreads = waiting[0]?.num_threads ?? 1; // Of all trials of an experiment.
  return { requested: numWorkers, slotsPerDevice, devices, numTrials: waiting.length, numThreads };
}

function thisMachine(): Machine {
  return { numCores: availableParallelism(), freeBytes: process.availableMemory() };
}

/** "2 trials at the same time, with 1 thread each". */
export function describeSlots(slots: readonly string[], waiting: readonly TrialSpec[]): string {
  const threads = counted(waiting[0]?.num_threads ?? 1, "thread");
  return slots.length === 1
    ? `1 trial at a time, with ${threads}`
    : `${slots.length} trials at the same time, with ${threads} each`;
}

/**
 * What leaves cores of the CPU idle, and what to set; undefined if none are, or if the trials run elsewhere.
 *
 * @param slots the devices that were chosen.
 * @param planned all trials of the sweep.
 */
export function adviseOnIdleCores(
  slots: readonly string[],
  waiting: readonly TrialSpec[],
  planned: readonly TrialSpec[],
  { numWorkers, slotsPerDevice }: Pick<RunContext, "numWorkers" | "slotsPerDevice">,
  numCores = availableParallelism(),
): string | undefined {
  const [first] = waiting;
  if (first === undefined || slots[0] !== "cpu") return undefined;
  const { num_threads } = first;
  const numIdle = numCores - slots.length * num_threads;
  if (numIdle <= 0) return undefined;
  const idle = `${numIdle} of ${counted(numCores, "core")} ${numIdle === 1 ? "stays" : "stay"} idle`;
  if (slots.length >= waiting.length) {
    const most = Math.floor(numCores / waiting.length);
    // With another number, trials that are done would not count.
    if (most === num_threads || waiting.length < planned.length) return undefined;
    const them = numIdle === 1 ? "it" : "them";
    return `${idle}; --set num_threads=${most} uses ${them}; trials with another number of threads are other trials, whose last digits differ.`;
  }
  if (numIdle < num_threads) return undefined;
  if (slotsPerDevice !== undefined)
    return `${idle}; --slots-per-device ${Math.floor(numCores / num_threads)} uses them.`;
  if (numWorkers !== undefined) return `${idle}; --workers auto uses them.`;
  return `${idle}, since the free memory is enough for ${counted(slots.length, "worker")} of ${formatBytes(workerBytes)}. Close other programs, or choose more with --workers if these trials need less.`;
}

async function devicesOf(
  engine: Engine,
  { device: asked, devices: listed }: Pick<RunContext, "device" | "devices">,
): Promise<string[]> {
  const device = await engine.device();
  if (listed === undefined && !(device.startsWith("cuda") && ["auto", "cuda"].includes(asked)))
    return [device];
  const { devices } = await engine.call("describe_machine", {});
  if (listed === undefined) return devices.filter((each) => each.startsWith("cuda"));
  const missing = listed.filter((each) => !devices.includes(each));
  if (missing.length === 0) return listed;
  throw new CliprpnError(
    "bad_input",
    `--devices: expected devices that torch finds here: ${joinWords(devices)}; found ${joinWords(missing)}`,
  );
}

/** What the slots depend on. */
export interface SlotRequest {
  /** The number of workers as the person asked for it; undefined for the number that suits the machine. */
  requested: number | undefined;
  /** The same for each device. */
  slotsPerDevice: number | undefined;
  /** The devices of the trials, as Python resolved them. */
  devices: readonly string[];
  /** Trials that have to run. */
  numTrials: number;
  /** CPU threads of each trial. */
  numThreads: number;
}

/** The machine that runs the workers. */
export interface Machine {
  numCores: number;
  freeBytes: number;
}

/**
 * The device of each slot, at least one: on a CPU as many as its cores and its memory allow, else one for each device. The first
 * trials are spread over the devices.
 */
export function chooseSlots(request: SlotRequest, machine: Machine): string[] {
  const { requested, slotsPerDevice, devices, numTrials } = request;
  const number =
    requested ??
    (slotsPerDevice === undefined ? numSuited(request, machine) : slotsPerDevice * devices.length);
  return Array.from(
    { length: Math.max(1, Math.min(number, numTrials)) },
    (_, slot) => devices[slot % devices.length] ?? "cpu",
  );
}

function numSuited({ devices, numThreads }: SlotRequest, { numCores, freeBytes }: Machine): number {
  if (devices[0] !== "cpu") return devices.length;
  // The first worker is running, so it does not count as free memory.
  const fitsInMemory = 1 + Math.floor(Math.max(0, freeBytes) / workerBytes);
  return Math.min(Math.floor(numCores / numThreads), fitsInMemory);
}

/** Peak memory of a worker on the demo: measured 2.2 GB, of which the pages of the features are shared. */
const workerBytes = 2e9;
