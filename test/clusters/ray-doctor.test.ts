/** `doctor --engine ray` on a cluster whose second node does not see the runs folder. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkRayNodes } from "../../src/sweep/machines/check-ray-nodes.ts";
import { rayRows } from "../../src/sweep/machines/ray-rows.ts";
import { testPython } from "../helpers/python.ts";
import { contextIn } from "../helpers/run-context.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";
import { cluster } from "./ray/cluster.ts";
import { missingRay, rayPython } from "./ray/ray-python.ts";

// The blind node needs a mount of its own.
const why = missingRay ?? (process.getuid?.() === 0 ? undefined : "the node without the folder needs root");
if (why !== undefined) process.stdout.write(`Skipped: doctor on Ray: ${why}\n`);

describe.skipIf(why !== undefined)("doctor on Ray", () => {
  const runsDir = join(sharedFolder("ray-doctor"), "runs");
  mkdirSync(runsDir);
  const ray = cluster([{ name: "sees" }, { name: "blind", hidden: runsDir }]);

  test("each node is checked with the runs folder; one that does not see it is named", async () => {
    const checked = await checkRayNodes({
      ...contextIn(tempFolder()),
      runsDir,
      device: "auto",
      jobDevice: "cpu",
      python: testPython(),
      ray: { address: ray().address, python: rayPython, num_gpus: 0, node_cache_dir: tempFolder() },
    });
    expect(
      rayRows(checked)
        .map(({ state, name, found }) => `${state} ${name}: ${found}`)
        .sort(),
    ).toEqual([
      "broken node blind: does not see the runs folder",
      expect.stringMatching(/^ok Ray: .* 3 nodes$/),
      expect.stringMatching(/^ok node head: no trials run there/),
      expect.stringMatching(/^ok node sees: Python .*can be written.*the shared folder works$/),
    ]);
    expect(readdirSync(runsDir)).toEqual([]);
  });
});
