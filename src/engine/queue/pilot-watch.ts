import { closeSync, fstatSync, openSync } from "node:fs";
import { processState } from "../../base/process-identity.ts";
import type { PilotFacts } from "../../contract/generated/types.ts";
import type { QueueFolder } from "./queue-folder.ts";

/** A pilot as this process sees it. */
export interface Pilot {
  name: string;
  facts: PilotFacts;
  /** The place of its trials in the view; free again when it has ended. */
  slot: number;
  /** Why it counts as lost; undefined while it has a heartbeat. */
  lost: string | undefined;
  /** True if it is lost since it gave no sign of life: its machine may be frozen. */
  isSilent?: boolean;
}

interface Watched extends Pilot {
  /** Changes with each heartbeat. */
  version: string;
  unchangedMs: number;
}

/**
 * Watches the heartbeats of pilots. A pilot is lost if its file does not change while this process looks, for the time of the
 * lease: no clocks are compared. A pilot of this machine whose process is gone is lost at once.
 */
export class PilotWatch {
  readonly #queue: QueueFolder;
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #pilots = new Map<string, Watched>();
  /** Names of the pilots that have a file. */
  #present: ReadonlySet<string> = new Set();
  #lookedAt: number;

  constructor(queue: QueueFolder, leaseMs: number, now: () => number = () => performance.now()) {
    this.#queue = queue;
    this.#leaseMs = leaseMs;
    this.#now = now;
    this.#lookedAt = now();
  }

  /** Looks at all heartbeats. */
  look(): void {
    const now = this.#now();
    // In a longer gap this process was suspended, or the disk did not answer; pilots may have been alive.
    const passedMs = Math.min(now - this.#lookedAt, maxGapMs);
    this.#lookedAt = now;
    const names = new Set(this.#queue.pilotNames());
    this.#present = names;
    for (const name of names) this.#lookAt(name, passedMs);
    // A file that is gone may come back where a network disk shows old names: the claims of its pilot run out like others.
    for (const pilot of this.#pilots.values())
      if (!names.has(pilot.name)) this.#unchanged(pilot, passedMs, "it has ended");
  }

  /** Pilots that can run attempts. */
  ready(): Pilot[] {
    return this.live().filter(({ facts }) => facts.state === "ready");
  }

  /** Pilots that have not ended, and have not refused to work. */
  live(): Pilot[] {
    return this.all().filter(
      ({ name, facts, lost }) => facts.state !== "refused" && lost === undefined && this.#present.has(name),
    );
  }

  all(): Pilot[] {
    return [...this.#pilots.values()];
  }

  /** The pilot that has claimed an entry; one without a file is watched from now on. */
  claimant(name: string): Pilot {
    const known = this.#pilots.get(name);
    if (known === undefined) return this.#add(name, this.#queue.pilot(name) ?? unknownFacts(name), "");
    // It was ready before it took the entry, and its file has said so since.
    if (known.facts.state === "starting") known.facts = this.#queue.pilot(name) ?? known.facts;
    return known;
  }

  /** Time since its last heartbeat was seen. */
  silentMs({ name }: Pilot): number {
    return this.#pilots.get(name)?.unchangedMs ?? 0;
  }

  /** Counts a pilot as lost, for a reason that its launcher knows, such as that its job has ended. */
  lose(name: string, reason: string): void {
    this.claimant(name).lost ??= reason;
  }

  /** Forgets pilots that have ended, except those that have claims. */
  forgetEnded(claimants: ReadonlySet<string>): void {
    for (const name of this.#pilots.keys())
      if (!this.#present.has(name) && !claimants.has(name)) this.#pilots.delete(name);
  }

  #lookAt(name: string, passedMs: number): void {
    const version = versionOf(this.#queue.pilotFile(name));
    if (version === undefined) return;
    const before = this.#pilots.get(name);
    if (before === undefined || before.version !== version) {
      // Its state changes with a new file.
      const facts = this.#queue.pilot(name) ?? before?.facts ?? unknownFacts(name);
      const pilot = before ?? this.#add(name, facts, version);
      Object.assign(pilot, { facts, version, unchangedMs: 0, isSilent: false });
    } else {
      this.#unchanged(before, passedMs, `it gave no sign of life for ${this.#leaseMs / 1000} s`);
      before.isSilent = before.unchangedMs >= this.#leaseMs;
    }
    const pilot = this.#pilots.get(name);
    if (pilot !== undefined && processState(pilot.facts.process) === "dead")
      pilot.lost ??= "its process has ended";
  }

  #unchanged(pilot: Watched, passedMs: number, reason: string): void {
    pilot.unchangedMs += passedMs;
    if (pilot.unchangedMs >= this.#leaseMs) pilot.lost ??= reason;
    else if (processState(pilot.facts.process) === "dead") pilot.lost ??= "its process has ended";
  }

  #add(name: string, facts: PilotFacts, version: string): Watched {
    const taken = new Set([...this.#pilots.values()].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    const pilot: Watched = { name, facts, slot, lost: undefined, version, unchangedMs: 0 };
    this.#pilots.set(name, pilot);
    return pilot;
  }
}

const maxGapMs = 1000;

/** Opened, since only that makes NFS ask the server. @returns undefined if there is no such file. */
function versionOf(file: string): string | undefined {
  try {
    const fd = openSync(file, "r");
    try {
      const { mtimeMs, ino, size } = fstatSync(fd);
      return `${mtimeMs} ${ino} ${size}`;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** For a pilot whose file is gone or cannot be read. */
function unknownFacts(name: string): PilotFacts {
  const process = {
    host: name,
    machine_id: null,
    boot_id: null,
    pid: 0,
    pid_namespace: null,
    process_start: null,
  };
  return {
    schema_version: 1,
    name,
    label: "",
    state: "starting",
    error: null,
    process,
    environment: null,
  };
}

/** Where an attempt runs, for people: `n2 cuda:0, pid 71`. */
export function describePilot({ facts }: Pilot): string {
  const { environment, label } = facts;
  const { host, pid } = facts.process;
  const device = environment === null ? "" : ` ${environment.device}`;
  return `${host}${device}, pid ${pid}${label === "" ? "" : ` (${label})`}`;
}

/** The machine that a pilot runs on, as its cluster calls it, else as it calls itself. */
export function nodeOf({ facts }: Pilot): string {
  return /^[a-z]+:[^@]*@(.+)$/.exec(facts.label)?.[1] ?? facts.process.host;
}
