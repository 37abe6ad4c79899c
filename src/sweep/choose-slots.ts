import { availableParallelism } from "node:os";
import { joinWords } from "../base/format.ts";
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
  const numThreads = waiting[0]?.num_threads ?? 1; // Of all trials of an experiment.
  return chooseSlots(
    {
      requested: run.numWorkers,
      slotsPerDevice: run.slotsPerDevice,
      devices: await devicesOf(engine, run),
      numTrials: waiting.length,
      numThreads,
    },
    { numCores: availableParallelism(), freeBytes: process.availableMemory() },
  );
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
