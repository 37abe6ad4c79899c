import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { hasCode, namesIn } from "../../base/files.ts";
import { createFile, replaceFile, stagingName } from "../../base/replace-file.ts";
import { type ContractTypes, check } from "../../contract/check.ts";
import type {
  BarredPilot,
  CancelRequest,
  EndedAttempt,
  PilotFacts,
  QueuedAttempt,
  QueuedPreparation,
  QueueSettings,
} from "../../contract/generated/types.ts";
import type { LeftAttempt } from "../launcher.ts";

/**
 * `queue/` of a sweep, in which the process that runs the sweep (the controller) and its pilots meet. Owns all file names in it;
 * python/cliprpn/worker/queue_folder.py is the pilot's side.
 *
 * An attempt is an entry: `TRIAL.N`, or `prepare.N` to make what trials share. The controller creates `waiting/NUMBER-ENTRY.json`, with
 * numbers in the order of submission. A pilot takes it by renaming it to `claimed/ENTRY@PILOT.json`: one succeeds. `ended/ENTRY.json` is
 * created once: by the pilot, by a process that outlives it if it is killed, or by whoever takes the entry away. Every file but
 * `events/ENTRY.jsonl` is complete when it appears.
 *
 * `first/` has `prepare.N.json` in place of `waiting/`, and `prepare.N@PILOT.json` in place of `claimed/`. Pilots take it first, and
 * nothing else before it has ended: they look at this folder often, which is small.
 */
export class QueueFolder {
  readonly folder: string;
  /** Files of the entries that this process has submitted or listed, and that wait; relative. */
  readonly #waitingNames = new Map<string, string>();
  /** The number of the entry that was submitted last. */
  #lastNumber: number | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Creates the folders, and lets pilots work again after an earlier `stop`. */
  open(settings: QueueSettings): void {
    for (const name of folders) mkdirSync(join(this.folder, name), { recursive: true });
    replaceFile(this.#settingsFile, toJson(settings));
    this.#removeLeftovers();
    rmSync(join(this.folder, "stop"), { force: true });
  }

  /** The id of the process that the queue belongs to; undefined if the folder is gone. */
  controller(): string | undefined {
    return this.#read("QueueSettings", "queue.json")?.controller;
  }

  get #settingsFile(): string {
    return join(this.folder, "queue.json");
  }

  /** Removes staging files of processes that were killed. Pilots that live are about to rename theirs: no write takes a day. */
  #removeLeftovers(): void {
    const now = statSync(this.#settingsFile).mtimeMs; // The file server's time, not this machine's.
    const files = folders.flatMap((name) => {
      const names = namesIn(join(this.folder, name)).filter((each) => stagingName.test(each));
      return names.map((file) => join(this.folder, name, file));
    });
    for (const file of files) {
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats !== undefined && now - stats.mtimeMs > leftoverMs) rmSync(file, { force: true });
    }
  }

  /** Asks every pilot to end when its attempt has ended. */
  stop(): void {
    createFile(join(this.folder, "stop"), "");
  }

  /** Whether a process runs the sweep, or was killed while it did. */
  get isOpen(): boolean {
    return this.controller() !== undefined && !existsSync(join(this.folder, "stop"));
  }

  /** The name of the jobs of a cluster that are its pilots; undefined if it never had any. */
  jobName(): string | undefined {
    try {
      return readFileSync(this.#jobNameFile, "utf8").trim();
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Call it before the first job. */
  setJobName(name: string): void {
    mkdirSync(this.folder, { recursive: true });
    replaceFile(this.#jobNameFile, `${name}\n`);
  }

  get #jobNameFile(): string {
    return join(this.folder, "job-name");
  }

  /** Adds an attempt for the next free pilot. */
  submit(entry: string, attempt: QueuedAttempt | QueuedPreparation): void {
    const name = preparationOf(entry) === undefined ? this.#nextName(entry) : join("first", `${entry}.json`);
    replaceFile(join(this.folder, name), toJson(attempt));
    this.#waitingNames.set(entry, name);
  }

  #nextName(entry: string): string {
    this.#lastNumber = (this.#lastNumber ?? this.#waitingFiles().at(-1)?.number ?? 0) + 1;
    return join("waiting", `${String(this.#lastNumber).padStart(10, "0")}-${entry}.json`);
  }

  /** Takes an entry back that no pilot has. @returns false if one has it. */
  withdraw(entry: string): boolean {
    if (!this.#waitingNames.has(entry)) this.waiting();
    const name = this.#waitingNames.get(entry);
    if (name === undefined) return false;
    this.#waitingNames.delete(entry);
    try {
      // A rename, as pilots do it: a pilot that is faster makes it fail.
      renameSync(join(this.folder, name), this.#claimed(entry, ""));
    } catch (error) {
      if (hasCode(error, "ENOENT")) return false;
      throw error;
    }
    return true;
  }

  cancel(entry: string, graceMs: number): void {
    const request: CancelRequest = { schema_version: 1, grace_s: graceMs / 1000 };
    replaceFile(join(this.folder, "cancel", `${entry}.json`), toJson(request));
  }

  /** Entries that no pilot has taken, in the order of their submission. */
  waiting(): string[] {
    const first = this.#entries("first")
      .filter((entry) => !entry.includes("@"))
      .map((entry) => ({ entry, name: join("first", `${entry}.json`) }));
    return [...first, ...this.#waitingFiles()].map(({ name, entry }) => {
      this.#waitingNames.set(entry, name);
      return entry;
    });
  }

  /** Entries that a pilot has taken, with its name; also those that have ended. */
  claims(): Map<string, string> {
    const first = this.#entries("first").filter((name) => name.includes("@"));
    const claims = [...first, ...this.#entries("claimed")].map((name) => {
      const at = name.indexOf("@");
      return [name.slice(0, at), name.slice(at + 1)] as const;
    });
    return new Map(claims);
  }

  /** Entries that have ended. */
  ended(): Set<string> {
    return new Set(this.#entries("ended"));
  }

  /** How an entry ended. @returns undefined if it has not, or the file is damaged. */
  end(entry: string): EndedAttempt | undefined {
    return this.#read("EndedAttempt", join("ended", `${entry}.json`));
  }

  /** Ends an entry for its pilot, once. @returns false if it has ended; it stays as it is. */
  tryEnd(entry: string, end: Omit<EndedAttempt, "schema_version">): boolean {
    return createFile(join(this.folder, "ended", `${entry}.json`), toJson({ schema_version: 1, ...end }));
  }

  eventsFile(entry: string): string {
    return join(this.folder, "events", `${entry}.jsonl`);
  }

  /** Removes all files of an entry that does not wait. A pilot that still has it finds that its claim is gone. */
  remove(entry: string, pilot: string | undefined): void {
    this.#waitingNames.delete(entry);
    const claims = pilot === undefined ? [] : [this.#claimed(entry, pilot)];
    const others = ["cancel", "ended"].map((name) => join(this.folder, name, `${entry}.json`));
    // The claim first: a pilot must not find the entry claimed and not ended.
    for (const file of [...claims, this.#claimed(entry, ""), this.eventsFile(entry), ...others])
      rmSync(file, { force: true });
  }

  pilotNames(): string[] {
    return this.#entries("pilots");
  }

  pilotFile(name: string): string {
    return join(this.folder, "pilots", `${name}.json`);
  }

  /** @returns undefined if it has ended, or the file is damaged. */
  pilot(name: string): PilotFacts | undefined {
    return this.#read("PilotFacts", join("pilots", `${name}.json`));
  }

  removePilot(name: string): void {
    rmSync(this.pilotFile(name), { force: true });
  }

  /** Tells a pilot to take nothing more. */
  bar(pilot: BarredPilot): void {
    createFile(join(this.folder, "barred", pilot.name), toJson(pilot));
  }

  barred(): BarredPilot[] {
    return namesIn(join(this.folder, "barred"))
      .filter((name) => !stagingName.test(name))
      .map(
        (name) =>
          this.#read("BarredPilot", join("barred", name)) ?? {
            ...{ schema_version: 1, name, worker: name, node: name, reason: "it counted as lost" },
          },
      );
  }

  #entries(folder: string): string[] {
    return namesIn(join(this.folder, folder))
      .filter((name) => name.endsWith(".json") && !name.startsWith("."))
      .map((name) => name.slice(0, -".json".length));
  }

  #waitingFiles(): { name: string; entry: string; number: number }[] {
    const files = namesIn(join(this.folder, "waiting")).flatMap((name) => {
      const [, number = "", entry = ""] = /^(\d{10})-(.+)\.json$/.exec(name) ?? [];
      return entry === "" ? [] : [{ name: join("waiting", name), entry, number: Number(number) }];
    });
    return files.sort((a, b) => a.number - b.number);
  }

  #claimed(entry: string, pilot: string): string {
    const folder = preparationOf(entry) === undefined ? "claimed" : "first";
    return join(this.folder, folder, `${entry}@${pilot}.json`);
  }

  /** Pilots may be of another version, and disks break: a file that is not as expected counts as none. */
  #read<Name extends keyof ContractTypes>(name: Name, file: string): ContractTypes[Name] | undefined {
    try {
      return check(name, JSON.parse(readFileSync(join(this.folder, file), "utf8")), file);
    } catch {
      return undefined;
    }
  }
}

/** As python/cliprpn/storage/durable.py. */
const leftoverMs = 86_400_000;

const folders = ["first", "waiting", "claimed", "cancel", "ended", "events", "pilots", "barred", "logs"];

export function entryOf({ trial_id, number }: LeftAttempt): string {
  return `${trial_id}.${number}`;
}

/** @returns undefined for a name that is not an entry's. */
export function attemptOf(entry: string): LeftAttempt | undefined {
  const [, trial_id, number] = /^([0-9a-f]{16})\.([1-9]\d*)$/.exec(entry) ?? [];
  return trial_id === undefined ? undefined : { trial_id, number: Number(number) };
}

export function preparationEntry(number: number): string {
  return `prepare.${number}`;
}

/** @returns the number of the preparation that an entry is of; undefined for other entries. */
export function preparationOf(entry: string): number | undefined {
  const [, number] = /^prepare\.([1-9]\d*)$/.exec(entry) ?? [];
  return number === undefined ? undefined : Number(number);
}

function toJson(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
