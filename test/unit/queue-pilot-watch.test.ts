import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { thisProcess } from "../../src/base/process-identity.ts";
import type { PilotFacts } from "../../src/contract/generated/types.ts";
import { EventTail } from "../../src/engine/queue/event-tail.ts";
import { PilotWatch } from "../../src/engine/queue/pilot-watch.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

interface Watched {
  watch: PilotWatch;
  /** Writes the pilot's file again. */
  becomes(state: PilotFacts["state"]): void;
  /** Changes the modification time of the pilot's file. */
  beat(): void;
  /** Looks once after each of these times, in ms. */
  look(...steps: number[]): void;
}

/** A pilot with a lease of 3 s, on another machine unless its process says otherwise. */
function watched(
  changes: Partial<PilotFacts["process"]> = {},
  state: PilotFacts["state"] = "ready",
): Watched {
  const folder = tempFolder();
  mkdirSync(join(folder, "pilots"));
  const elsewhere = {
    host: "n2",
    machine_id: null,
    boot_id: null,
    pid: 7,
    pid_namespace: null,
    process_start: null,
  };
  const facts: PilotFacts = {
    schema_version: 1,
    name: "n2-7-ab",
    label: "",
    state,
    error: null,
    process: { ...elsewhere, ...changes },
    environment: null,
  };
  const file = join(folder, "pilots/n2-7-ab.json");
  writeFileSync(file, JSON.stringify(facts));
  let now = 0;
  let beats = 1000;
  const watch = new PilotWatch(new QueueFolder(folder), 3000, () => now);
  watch.look();
  return {
    watch,
    becomes: (other) => writeFileSync(file, JSON.stringify({ ...facts, state: other })),
    beat: () => utimesSync(file, beats, ++beats),
    look: (...steps) => {
      for (const step of steps) {
        now += step;
        watch.look();
      }
    },
  };
}

test("a pilot with a heartbeat is ready, whatever its clock says", () => {
  const { watch, beat, look } = watched();
  for (let step = 0; step < 10; step += 1) {
    beat();
    look(900, 900);
  }
  expect(watch.ready().map(({ name, slot }) => [name, slot])).toEqual([["n2-7-ab", 0]]);
});

test("a pilot without a heartbeat for the time of the lease is lost, for good", () => {
  const { watch, beat, look } = watched();
  look(900, 900, 900);
  expect(watch.ready()).toHaveLength(1);
  look(900);
  expect(watch.all()[0]?.lost).toMatch(/no sign of life for 3 s/);
  beat();
  look(900);
  expect(watch.ready()).toEqual([]);
});

test("time in which this process was suspended does not count", () => {
  const { watch, look } = watched();
  look(3_600_000, 900);
  expect(watch.ready()).toHaveLength(1);
});

test("a pilot of this machine whose process has ended is lost at once", () => {
  expect(watched({ ...thisProcess(), process_start: "1" }).watch.all()[0]?.lost).toMatch(/has ended/);
  expect(watched({ ...thisProcess() }).watch.ready()).toHaveLength(1);
});

test.each(["starting", "refused"] as const)("a pilot that is %s runs nothing", (state) => {
  expect(watched({}, state).watch.ready()).toEqual([]);
});

test("the events of an attempt are read once, in order, and incomplete lines later", () => {
  const file = join(tempFolder(), "events.jsonl");
  const tail = new EventTail(file);
  const line = (done: number): string =>
    `${JSON.stringify({ type: "progress", phase: "training", done, total: 9 })}\n`;
  const read = (): number[] => tail.read().map((event) => (event.type === "progress" ? event.done : -1));
  expect(read()).toEqual([]);
  writeFileSync(file, line(1) + line(2) + line(3).slice(0, 9));
  expect(read()).toEqual([1, 2]);
  expect(read()).toEqual([]);
  writeFileSync(file, line(3).slice(9), { flag: "a" });
  writeFileSync(file, `oops\n{"type":"gossip"}\n${line(4)}`, { flag: "a" });
  expect(read()).toEqual([3, 4]);
});

test("a pilot that takes an attempt is known as ready, although its file was last read while it started", () => {
  const { watch, look, becomes } = watched({}, "starting");
  look(100);
  becomes("ready");
  expect(watch.all().map(({ facts }) => facts.state)).toEqual(["starting"]);
  expect(watch.claimant("n2-7-ab").facts.state).toBe("ready");
});
