import { readText } from "../../store/files.ts";

/**
 * The name of this machine's processor, as Python writes it into outcomes.
 *
 * @param deviceKind cpu, cuda or mps.
 * @returns undefined if only Python knows it.
 */
export function localDeviceName(deviceKind: string): string | undefined {
  if (deviceKind !== "cpu") return undefined;
  const line = (readText("/proc/cpuinfo") ?? "").split("\n").find((each) => each.startsWith("model name"));
  return line?.slice(line.indexOf(":") + 1).trim();
}

/** cpu, cuda or mps. */
export function kindOf(device: string): string {
  return device.split(":")[0] ?? device;
}
