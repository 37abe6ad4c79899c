/** `doctor --engine ray`, with a program in place of the process that talks to the cluster. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { checkRayNodes } from "../../src/sweep/machines/check-ray-nodes.ts";
import { rayRows } from "../../src/sweep/machines/ray-rows.ts";
import { testPython } from "../helpers/python.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

// A share may show a file so much later; here it does not.
vi.mock("node:timers/promises", async (importOriginal) => {
  const timers = await importOriginal<typeof import("node:timers/promises")>();
  return {
    ...timers,
    setTimeout: (ms: number, value: unknown, options: object) =>
      timers.setTimeout(Math.min(ms, 10), value, options),
  };
});

/** Places actors, which end without an answer; that of `prints` has a log. */
const driver = `#!${process.execPath}
const fs = require("fs");
const nodes = ["prints", "silent", "leaving"].map((name) => ({
  id: name + "-id", name, total: { CPU: 2 }, is_draining: name === "leaving",
}));
const say = (message) => console.log(JSON.stringify(message));
let setup;
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  if (setup === undefined) {
    setup = request;
    say({ type: "connected", ray: "2.60.0", python: "3.12.1", nodes, free: { CPU: 4 } });
    return;
  }
  for (const id of request.type === "start" ? request.ids : []) {
    const node = nodes.find((each) => !request.without_nodes.includes(each.id));
    fs.appendFileSync(FOLDER + "/asked", node.name + "\\n");
    say({ type: "placed", id, node: node.name, node_id: node.id, is_shared: true });
    if (node.name === "prints")
      fs.writeFileSync(setup.worker.log_folder + "/" + id + ".log", "ImportError: libcudart.so.12\\n");
    say({ type: "ended", id, how: "lost", reason: node.name === "prints" ? "exit code 1" : "" });
  }
});
`;

test("nodes without an answer say what they printed, and one that is drained is not asked", async () => {
  const folder = tempFolder();
  const python = join(folder, "python");
  writeFileSync(python, driver.replace("FOLDER", JSON.stringify(folder)));
  chmodSync(python, 0o755);
  const run = {
    ...contextIn(folder),
    python: testPython(),
    jobDevice: "cpu",
    ray: { python, num_gpus: 0 },
  };
  const rows = rayRows(await checkRayNodes(run)).map(
    ({ state, name, found, how_to_fix }) => `${state} ${name}: ${found} ${how_to_fix}`,
  );
  expect(rows).toEqual([
    expect.stringMatching(/^ok Ray: 2\.60\.0.*3 nodes/),
    expect.stringMatching(/^broken node prints: exit code 1: ImportError: libcudart\.so\.12 .*Python/),
    expect.stringMatching(/^broken node silent: it printed nothing .*Python/),
    expect.stringMatching(/^ok node leaving: no trials start there.*drains/),
  ]);
  expect(readFileSync(join(folder, "asked"), "utf8").trim().split("\n").sort()).toEqual(["prints", "silent"]);
  expect(readdirSync(run.runsDir)).toEqual([]);
});
