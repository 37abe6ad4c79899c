/** A machine whose Python and uv are shell scripts, so that setup is tested in milliseconds. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RecordingTerminal, recordingTerminal } from "./recording-terminal.ts";
import { tempFolder } from "./temp-folder.ts";

export interface Machine {
  folder: string;
  cache: string;
  lockDir: string;
  env: NodeJS.ProcessEnv;
  /** Puts a script on the PATH. */
  install(name: string, script: string): void;
  /** The shell script that the fake uv runs at `pip sync` and `pip install`. */
  onSync(script: string): void;
  /** All calls of uv, except those for its version and its cache. */
  calls(): string[];
}

/** A new machine in a temporary folder, which is removed at the end of the test. */
export function fakeMachine(): Machine {
  const folder = tempFolder();
  const bin = join(folder, "bin");
  const cache = join(folder, "cache");
  const lockDir = join(folder, "env");
  mkdirSync(bin);
  mkdirSync(lockDir);
  for (const tool of ["mkdir", "ln", "cp", "cat", "sleep", "dirname"])
    symlinkSync(
      execFileSync("/bin/sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim(),
      join(bin, tool),
    );
  const install = (name: string, script: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const onSync = (script: string): void => writeFileSync(join(folder, "on-sync"), script);
  install("python3.11", fakePython);
  symlinkSync(join(bin, "python3.11"), join(bin, "python3"));
  install("uv", fakeUv);
  onSync("");
  writeFileSync(join(lockDir, "runtime.txt"), fakeLock);
  for (const [extra, lock] of Object.entries(fakeExtraLocks))
    writeFileSync(join(lockDir, `extra-${extra}.txt`), lock);
  writeInspection(folder, {});
  return {
    folder,
    cache,
    lockDir,
    env: { PATH: bin, HOME: folder, CLIPRPN_CACHE: cache, MACHINE: folder },
    install,
    onSync,
    calls: () => {
      const file = join(folder, "calls");
      return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    },
  };
}

/** What the fake Python prints about its packages; `changes` replaces rows. */
export function writeInspection(
  folder: string,
  changes: Record<string, { version: string | null; error: string | null }>,
  python = "3.11.7",
): void {
  const modules =
    "torch torchvision open_clip numpy PIL pyarrow pydantic safetensors scipy tensorboard".split(" ");
  const executable = join(folder, "bin/python3.11");
  const write = (ending: string, names: string[]): void => {
    const packages = Object.fromEntries(
      names.map((name) => [name, changes[name] ?? { version: "2.14.1", error: null }]),
    );
    const inspection = { python, executable, devices: ["cpu"], packages };
    writeFileSync(join(folder, `inspection${ending}.json`), JSON.stringify(inspection));
    const versions = Object.fromEntries(names.map((name) => [name, changes[name]?.version ?? "2.14.1"]));
    writeFileSync(join(folder, `listing${ending}.json`), JSON.stringify({ python, executable, versions }));
  };
  write("", modules);
  write("-extras", [...modules, "ultralytics", "onnxruntime", "ray"]);
}

/** Makes uv wait until `printedWait` is called: while one process installs, the other one waits for it. */
export function installOnceWaited(machine: Machine): { printedWait: () => void } {
  machine.onSync('while [ ! -e "$MACHINE/waiting" ]; do sleep 0.05; done');
  return { printedWait: () => writeFileSync(join(machine.folder, "waiting"), "") };
}

/** Terminals of two processes on the machine; uv installs once one of them has printed that it waits for the other. */
export function twoTerminals(machine: Machine): [RecordingTerminal, RecordingTerminal] {
  const { printedWait } = installOnceWaited(machine);
  const make = (): RecordingTerminal => {
    const terminal = recordingTerminal();
    const info = (line: string): void => {
      terminal.info(line);
      if (numWaits(terminal) > 0) printedWait();
    };
    return { ...terminal, info };
  };
  return [make(), make()];
}

/** How often a process printed that it waits for another one. */
export function numWaits({ lines }: RecordingTerminal): number {
  return lines.filter((line) => line.includes("waiting for it")).length;
}

export const fakeLock = `# written by hand
numpy==2.4.6 \\
    --hash=sha256:aaaa
nvidia-cublas==13.1.0.3 ; sys_platform == 'linux' \\
    --hash=sha256:bbbb
    # via torch
torch==2.14.1 \\
    --hash=sha256:cccc
torchvision==0.29.1 \\
    --hash=sha256:dddd
triton==3.8.0 ; sys_platform == 'linux' \\
    --hash=sha256:eeee
`;

/** They also contain packages of the runtime lock, as the shipped locks do. */
const fakeExtraLocks = {
  onnx: "numpy==2.4.6 \\\n    --hash=sha256:aaaa\nonnxruntime==1.32.0 \\\n    --hash=sha256:ffff\n",
  ray: "msgpack==1.2.4 \\\n    --hash=sha256:efef\nnumpy==2.4.6 \\\n    --hash=sha256:aaaa\nray==2.60.0 \\\n    --hash=sha256:baba\n",
  yolo: `nvidia-cublas==13.1.0.3 ; sys_platform == 'linux' \\
    --hash=sha256:bbbb
nvidia-ml-py==13.0.0 \\
    --hash=sha256:abab
onnxruntime==1.32.0 \\
    --hash=sha256:ffff
torch==2.14.1 \\
    --hash=sha256:cccc
ultralytics==8.4.190 \\
    --hash=sha256:cdcd
`,
};

const fakePython = `
case "$*" in *onnxruntime* | *" ray"*) about=-extras ;; *) about= ;; esac
case "$1 $2" in
  "-c import sys; print"*) echo "$MACHINE/bin/python3.11"; echo 3.11.7 ;;
  *import_module*) echo inspected >> "$MACHINE/inspections"; cat "$MACHINE/inspection$about.json" ;;
  "-c "*) cat "$MACHINE/listing$about.json" ;;
  "-m venv") mkdir -p "$3/bin"; ln -s "$MACHINE/bin/python3.11" "$3/bin/python" ;;
  "-m pip") cp "$MACHINE/bin/fetched-uv" "$(dirname "$0")/uv" ;;
esac`;

export const fakeUv = `
case "$1 $2" in
  "--version ") echo "uv 0.13.9 (fake)"; exit ;;
  "cache dir") echo "$MACHINE/uv-cache"; exit ;;
esac
echo "uv $*" >> "$MACHINE/calls"
case "$1 $2 $3" in
  "venv --quiet --python") mkdir -p "$5/bin" "$5/lib/python3.11/site-packages"; ln -s "$MACHINE/bin/python3.11" "$5/bin/python" ;;
  "pip sync --dry-run" | "pip install --dry-run") echo "Would download 2 packages" >&2; echo "Would install 2 packages" >&2 ;;
  *)
    if [ "$5" = --target ]; then mkdir -p "$6"; fi
    . "$MACHINE/on-sync"
    ;;
esac`;
