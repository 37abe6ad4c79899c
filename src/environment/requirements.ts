import { CliprpnError } from "../contract/errors.ts";

/** A requirement of an interpreter: the module to import, and the pip requirement that provides it. */
export const requiredPackages: Record<string, string> = {
  torch: "torch>=2.11",
  torchvision: "torchvision",
  open_clip: "open_clip_torch>=3.3,<3.4",
  numpy: "numpy",
  PIL: "pillow",
  pyarrow: "pyarrow",
  pydantic: "pydantic>=2.11",
  safetensors: "safetensors",
  scipy: "scipy",
  tensorboard: "tensorboard",
};

/**
 * Native Windows has no process groups, and no signals that could end workers.
 *
 * @throws CliprpnError unsupported_platform.
 */
export function checkPlatform(platform: NodeJS.Platform): void {
  if (platform !== "win32") return;
  throw new CliprpnError(
    "unsupported_platform",
    "cliprpn does not run on native Windows; install WSL2 (`wsl --install`) and run the same command there",
  );
}

/** True if "2.11.0+cu128" is at least [2, 11]. */
export function atLeast(version: string, minimum: readonly number[]): boolean {
  const numbers = version.split(/[.+]/).map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of minimum.entries()) {
    const number = numbers[index] ?? 0;
    if (Number.isNaN(number) || number < wanted) return false;
    if (number > wanted) return true;
  }
  return true;
}
