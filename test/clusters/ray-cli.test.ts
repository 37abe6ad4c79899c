/** `cliprpn sweep --engine ray` as people run it, with real trials. Takes minutes: `npm run test:clusters -- --slow`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Mark } from "../helpers/marked.ts";
import { until } from "../helpers/processes.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";
import { cluster } from "./ray/cluster.ts";
import { missingRay, rayPython } from "./ray/ray-python.ts";
import { figuresIn, resultsIn, smallSweep, startCommand, storeIn } from "./small-sweep.ts";

const isSkipped = missingRay !== undefined || process.env.CLIPRPN_TEST_SLOW !== "1";
const engine = { ray: { num_gpus: 0, max_workers: 2 } };
const sweep = [...smallSweep, "--set", "seeds=[0]"];
/** Each test runs three commands, and a busy machine takes a minute to import torch. */
const limitMs = 1_200_000;

/** Starts a sweep on actors. */
function sweepOn(address: string, folder: string, mark?: Mark): ReturnType<typeof startCommand> {
  const where = ["--engine", "ray", "--ray-address", address, "--ray-python", rayPython];
  return startCommand([...sweep, ...where], folder, engine, mark?.env);
}

/** The figures of the same sweep on this machine. */
async function figuresHere(folder: string): Promise<ReturnType<typeof figuresIn>> {
  const here = startCommand([...sweep, "--runs-dir", "local"], folder, engine);
  expect([await here.ended, here.err()]).toEqual([0, expect.anything()]);
  return figuresIn(join(folder, "local"));
}

describe.skipIf(isSkipped)("sweep --engine ray", () => {
  const ray = cluster([{ numCpus: 2 }]);

  test(
    "killed and run again, it runs what is left, its figures are those of this machine, and no process is left",
    async () => {
      const folder = tempFolder();
      const runs = join(folder, "runs");
      const mark = new Mark(folder);
      const killed = sweepOn(ray().address, folder, mark);
      await killed.prints(/epoch 1\/2/);
      killed.child.kill("SIGKILL");
      await killed.ended;
      await until(() => mark.processes().length === 0);
      const again = sweepOn(ray().address, folder, mark);
      expect([await again.ended, again.err()]).toEqual([0, expect.stringMatching(/Ray actors/)]);
      expect(resultsIn(runs).map(({ metrics }) => metrics.length)).toEqual([1, 1]);
      expect(resultsIn(runs).filter(({ attempts }) => attempts.length > 1)).not.toEqual([]);
      expect(storeIn(runs).preparations.numbers()).toEqual([1]);
      await until(() => mark.processes().length === 0);
      expect(figuresIn(runs)).toEqual(await figuresHere(folder));
    },
    limitMs,
  );
});

const isRoot = process.getuid?.() === 0; // The node needs mounts of its own.

describe.skipIf(isSkipped || !isRoot)("sweep --engine ray with roots", () => {
  const folder = sharedFolder("ray-cli");
  const [here, there] = [join(folder, "here"), join(folder, "there")];
  for (const each of [here, there]) mkdirSync(each);
  const ray = cluster([{ name: "renamed", numCpus: 2, hidden: here, shownAs: there }]);

  test(
    "on a node where the folder has another name, its figures are those of this machine",
    async () => {
      mkdirSync(join(here, "engines"));
      writeFileSync(join(here, "engines/lab.json"), JSON.stringify({ ray: { roots: { [here]: there } } }));
      const elsewhere = sweepOn(ray().address, here);
      expect([await elsewhere.ended, elsewhere.err()]).toEqual([0, expect.stringMatching(/Ray actors/)]);
      const starts = storeIn(join(here, "runs"))
        .journal.entries()
        .flatMap((entry) => (entry.type === "trial_started" ? [entry.worker] : []));
      expect(starts).toEqual(Array.from({ length: 2 }, () => expect.stringContaining("renamed")));
      expect(figuresIn(join(here, "runs"))).toEqual(await figuresHere(here));
    },
    limitMs,
  );
});
