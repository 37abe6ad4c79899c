import type { Random } from "../../src/dataset/demo/random.ts";
import type { Fault } from "./fault-board.ts";
import type { Place } from "./places.ts";
import type { Moment, Victim } from "./run-sweep.ts";

/** What one run of the command suffers. */
export interface Suffering {
  faults: Fault[];
  moment: Moment | undefined;
}

/** What an undisturbed run was like. */
export interface Undisturbed {
  /** None where faults cannot be made to happen at changes of the disk. */
  places: readonly Place[];
  duration_ms: number;
}

/** Draws what the next run suffers. @param victims at random moments. */
export function drawSuffering(
  random: Random,
  { places, duration_ms }: Undisturbed,
  victims: readonly Victim[],
): Suffering {
  const drawMoment = (): Moment => ({
    victim: random.pick(victims),
    after_ms: Math.round(random.between(0, duration_ms)),
  });
  if (places.length === 0) return { faults: [], moment: drawMoment() };
  const kills = [1, 2, 3].map(() => drawKill(random, places));
  const kind = random.between(0, 1);
  // A full or read-only disk ends the run by itself, if no kill does before.
  if (kind < 0.2) {
    const disk = random.pick(["full", "read-only"] as const);
    return { faults: [drawAnywhere(random, places, disk), ...kills.slice(2)], moment: undefined };
  }
  const faults = kind < 0.4 ? [drawAnywhere(random, places, "clock"), ...kills] : kills;
  return { faults, moment: random.chance(0.3) ? drawMoment() : undefined };
}

function drawKill(random: Random, places: readonly Place[]): Fault {
  const fault = drawAt(random, places, "kill");
  if (fault.role !== "python" && fault.role !== "child") return fault;
  // Python makes most changes; whoever dies at them, the others must notice.
  return { ...fault, what: random.pick(["kill", "kill", "kill-parent", "kill-cli"]) };
}

/** At any change by the same call, so that it happens wherever the sweep resumes. */
function drawAnywhere(random: Random, places: readonly Place[], what: Fault["what"]): Fault {
  const fault = drawAt(random, places, what);
  return { ...fault, path: "*", number: fault.number + random.integer(0, 20) };
}

function drawAt(random: Random, places: readonly Place[], what: Fault["what"]): Fault {
  const { role, call, path, count } = pickPlace(random, places);
  return {
    role,
    call,
    path,
    number: Math.ceil(count * random.between(0, 1) ** 2) || 1, // A run that resumes makes fewer changes.
    what,
    when: random.pick(call === "write" ? ["before", "half", "half", "after"] : ["before", "after"]),
    argument: what === "clock" ? random.pick(jumpsInSeconds) : 0,
  };
}

/** Most of a sweep's time goes into its trials, most kinds of changes into its report. */
const queueArea = "runs/sweeps/torture/queue/";
const areas = ["runs/trials/", "runs/trials/", "runs/", queueArea, "cache/"];

/** In the queue, most kinds of changes are the command's, and most changes the workers'. */
function pickPlace(random: Random, places: readonly Place[]): Place {
  const area = pickArea(random, places);
  const inArea = placesIn(area, places);
  if (area !== queueArea) return random.pick(inArea);
  const role = random.pick([...new Set(inArea.map((place) => place.role))]);
  return random.pick(inArea.filter((place) => place.role === role));
}

function pickArea(random: Random, places: readonly Place[]): string {
  return random.pick(areas.filter((area) => placesIn(area, places).length > 0));
}

function placesIn(area: string, places: readonly Place[]): Place[] {
  return places.filter(({ path }) => path.startsWith(area));
}

const day = 24 * 3600;
const jumpsInSeconds = [-3600, 3600, -30 * day, 30 * day, -10 * 365 * day];
