import { blocks } from "./lock-blocks.ts";

/** What comes with a choice of torch builds: torch itself and the CUDA packages that a build pins. */
const torchStack = /^(torch|torchvision|triton|pytorch-triton.*|nvidia-.*|cuda-.*)$/;

/** The lock without torch and what a build of it brings along. */
export function withoutTorch(lock: string): string {
  return blocks(lock)
    .filter(({ name }) => !torchStack.test(name))
    .map(({ text }) => text)
    .join("");
}

/** torch's and torchvision's versions in the lock: `torch==2.14.1`. */
export function torchPins(lock: string): string[] {
  return blocks(lock)
    .filter(({ name }) => name === "torch" || name === "torchvision")
    .map(({ name, version }) => `${name}==${version}`);
}
