import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.ts";

/** Commands `sbatch`, `squeue`, `scancel` and `sinfo` that start nothing: a test says what SLURM's queue has. */
export class StubSlurm {
  readonly folder = tempFolder();

  constructor() {
    mkdirSync(join(this.folder, "scripts"));
    writeFileSync(join(this.folder, "jobs"), "");
    this.#command(
      "sbatch",
      `cat > scripts/new
id=$(ls scripts | wc -l)
mv scripts/new scripts/$id
last=$(sed -n 's/^#SBATCH --array=0-//p' scripts/$id)
for task in $(seq 0 $last); do echo "$id|$task|PENDING||None" >> jobs; done
echo $id`,
    );
    writeFileSync(join(this.folder, "nodes"), "");
    this.#command(
      "sinfo",
      `echo "$*" >> asked
[ -n "$SINFO_PARTITION" ] || cat nodes`,
    );
    this.#command(
      "squeue",
      `echo x >> calls
[ -n "$SQUEUE_PARTITION" ] || cat jobs`,
    );
    this.#command(
      "scancel",
      `echo "$*" >> canceled
[ -z "$SCANCEL_INTERACTIVE" ] || exit 0
case "$*" in
  *--name*) : > jobs;;
  *--signal*) ;;
  *_*) grep -v "^\${1%_*}|\${1#*_}|" jobs > left; mv left jobs;;
esac`,
    );
  }

  get env(): NodeJS.ProcessEnv {
    return { PATH: `${this.folder}:${process.env.PATH}` };
  }

  /** What was submitted, in order. */
  scripts(): string[] {
    const folder = join(this.folder, "scripts");
    const ids = readdirSync(folder).filter((name) => /^\d+$/.test(name));
    return ids.sort((a, b) => Number(a) - Number(b)).map((id) => readFileSync(join(folder, id), "utf8"));
  }

  /** Lines as squeue has them, `12|0|RUNNING|n1|None`. */
  jobs(): string[] {
    return readFileSync(join(this.folder, "jobs"), "utf8").trim().split("\n").filter(Boolean);
  }

  /** Changes the line of a job; without a line, the job is gone. */
  setJob(id: string, line?: string): void {
    const start = `${id.replace("_", "|")}|`;
    const others = this.jobs().filter((each) => !each.startsWith(start));
    const lines = line === undefined ? others : [...others, `${start}${line}`];
    writeFileSync(join(this.folder, "jobs"), lines.map((each) => `${each}\n`).join(""));
  }

  /** Sets the lines of sinfo, `n1|gpu*|drained|bad disk`. */
  setNodes(...lines: string[]): void {
    writeFileSync(join(this.folder, "nodes"), lines.map((each) => `${each}\n`).join(""));
  }

  /** The arguments of each sinfo. */
  asked(): string[] {
    return this.#lines("asked");
  }

  /** How often squeue was called. */
  numListings(): number {
    return this.#lines("calls").length;
  }

  /** The arguments of each scancel. */
  canceled(): string[] {
    return this.#lines("canceled");
  }

  /** Makes a command fail with a message, or work again. */
  setFailure(command: "sbatch" | "squeue" | "scancel" | "sinfo", message: string | undefined): void {
    const file = join(this.folder, `${command}-fails`);
    if (message === undefined) rmSync(file, { force: true });
    else writeFileSync(file, `${message}\n`);
  }

  #lines(name: string): string[] {
    const file = join(this.folder, name);
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }

  #command(name: string, body: string): void {
    const file = join(this.folder, name);
    writeFileSync(
      file,
      `#!/bin/sh\ncd "$(dirname "$0")"\n[ -f ${name}-fails ] && { cat ${name}-fails >&2; exit 1; }\n`,
    );
    appendFileSync(file, `${body}\n`);
    chmodSync(file, 0o755);
  }
}
