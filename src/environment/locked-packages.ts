/** The packages of a lock that another lock, which has the same versions, does not contain. */
export function withoutPackagesOf(otherLock: string, lock: string): string {
  const names = new Set(packagesOf(otherLock).map(({ name }) => name));
  return textOf(packagesOf(lock).filter(({ name }) => !names.has(name)));
}

/** The lock without torch and the packages that a build of torch brings along. */
export function withoutTorch(lock: string): string {
  return textOf(packagesOf(lock).filter(({ name }) => !torchStack.test(name)));
}

/** torch, torchvision and the CUDA packages that a build of torch pins. */
const torchStack = /^(torch|torchvision|triton|pytorch-triton.*|nvidia-.*|cuda-.*)$/;

/** The versions of torch and torchvision in the lock: `torch==2.14.1`. */
export function torchPins(lock: string): string[] {
  return packagesOf(lock)
    .filter(({ name }) => name === "torch" || name === "torchvision")
    .map(({ name, version }) => `${name}==${version}`);
}

interface LockedPackage {
  name: string;
  version: string;
  /** Its requirement line, hashes and comments. */
  text: string;
}

function packagesOf(lock: string): LockedPackage[] {
  return lock.split(/^(?=[A-Za-z0-9])/m).flatMap((text) => {
    const [, name, version] = /^([A-Za-z0-9._-]+)==([^\s;]+)/.exec(text) ?? [];
    return name === undefined || version === undefined ? [] : [{ name, version, text }];
  });
}

function textOf(packages: LockedPackage[]): string {
  return packages.map(({ text }) => text).join("");
}
