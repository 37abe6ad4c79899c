/** Nodes of Ray that see the folder of a sweep under another name (`roots` in engines/lab.json). */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkRayNodes } from "../../src/sweep/machines/check-ray-nodes.ts";
import { rayRows } from "../../src/sweep/machines/ray-rows.ts";
import { states } from "../contract/launcher-promises.ts";
import { fakeSweep } from "../helpers/fake-sweep.ts";
import { testPython } from "../helpers/python.ts";
import { contextIn } from "../helpers/run-context.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";
import { cluster } from "./ray/cluster.ts";
import { rayKind } from "./ray/ray-kind.ts";
import { missingRay, rayPython } from "./ray/ray-python.ts";

// The node needs mounts of its own.
const why = missingRay ?? (process.getuid?.() === 0 ? undefined : "a node with other paths needs root");
if (why !== undefined) process.stdout.write(`Skipped: roots on Ray: ${why}\n`);

describe.skipIf(why !== undefined)("roots on Ray", () => {
  const folder = sharedFolder("ray-roots");
  const [here, there] = [join(folder, "here"), join(folder, "there")];
  for (const each of [here, there]) mkdirSync(each);
  const roots = { [here]: there };
  const ray = cluster([{ name: "renamed", numCpus: 2, hidden: here, shownAs: there }]);

  test("workers run trials on a node where the folder has another name", async () => {
    const runsDir = join(here, "runs");
    const kind = rayKind(() => ray().address, { roots });
    const sweep = fakeSweep(["good", "good", "good"], { kind, numSlots: 2, runsDir });
    await sweep.run();
    expect(states(sweep)).toEqual(["completed", "completed", "completed"]);
    const places = sweep.told.flatMap((each) => (each.type === "started" ? [each.worker] : []));
    expect(places.map((place) => /@(\w+)/.exec(place ?? "")?.[1])).toEqual(["renamed", "renamed", "renamed"]);
    expect(sweep.trials.map((_, trial) => sweep.store(trial).accepted().length)).toEqual([1, 1, 1]);
    await sweep.close();
  });

  test.skipIf(process.env.CLIPRPN_TEST_SLOW !== "1")(
    "doctor tests the folder under its other name, and finds nothing wrong but a root that the node does not have",
    async () => {
      const checked = await checkRayNodes({
        ...contextIn(here),
        device: "auto",
        jobDevice: "cpu",
        python: testPython(),
        roots: { ...roots, [folder]: "/nowhere" },
        ray: { address: ray().address, python: rayPython, num_gpus: 0 },
      });
      const rows = rayRows(checked).filter(({ name }) => /renamed/.test(name));
      expect(rows.map(({ state, name }) => `${state} ${name}`)).toEqual([
        `broken node renamed, root ${folder}`,
      ]);
    },
    600_000,
  );
});
