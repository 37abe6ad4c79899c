import type { Environment } from "../contract/generated/types.ts";
import type { CompletedTrial } from "./report-input.ts";

/**
 * Numbers for the machines that trials ran on, in the order of the trials: reports are published, and do not name them.
 *
 * @returns by the id of the trial; trials whose machine is not recorded have none.
 */
export function machineNumbers(completed: readonly CompletedTrial[]): Map<string, number> {
  const numbers = new Map<string, number>();
  const byTrial = new Map<string, number>();
  for (const { spec, outcome } of completed) {
    const { host } = outcome.environment;
    if (host == null) continue;
    const number = numbers.get(host) ?? numbers.size + 1;
    numbers.set(host, number);
    byTrial.set(spec.trial_id, number);
  }
  return byTrial;
}

/** The processor that computed a trial: the model, and the kind of device if it is no CPU. Two GPUs of a model are one. */
export function processorOf({ outcome }: CompletedTrial): string {
  const { device, device_name } = outcome.environment;
  const [kind] = device.split(":");
  return kind === "cpu" ? device_name : `${device_name} (${kind})`;
}

/** An environment without the name of the machine. */
export function withoutHost({ host: _, ...environment }: Environment): Environment {
  return environment;
}
