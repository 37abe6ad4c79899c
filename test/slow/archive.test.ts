/** A sweep with a person's fusion on one machine, exported, and used on another one with the same data. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { type CommandResult, cliprpn } from "../helpers/cli.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("archive");
const [there, here] = [join(folder, "there"), join(folder, "here")];
const ran = join(folder, "fusion-ran");

const source = `import torch

with open(${JSON.stringify(ran)}, "a") as file:
    file.write("x")


class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)

    def forward(self, map, words, mask, pooled):
        return map * self.text(pooled)[:, :, None, None]
`;

beforeAll(async () => {
  await makeSmallDemo(join(folder, "data"));
  const experiment = {
    name: "mine",
    question: "Is mine better?",
    dataset: { name: "scenes", root: join(folder, "data") },
    num_threads: 1,
    settings: { training: { num_epochs: 1 } },
    vary: { fusion: ["film", { file: "mine.py:Mine" }] },
    seeds: [0],
  };
  for (const cwd of [there, here]) {
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, "mine.json"), JSON.stringify(experiment));
    writeFileSync(join(cwd, "mine.py"), source);
  }
});

function run(cwd: string, ...argv: string[]): Promise<CommandResult> {
  const python = ["export", "import", "list"].includes(argv[0] ?? "") ? [] : ["--python", testPython()];
  return cliprpn([...argv, ...python], cwd, { CLIPRPN_CACHE: join(folder, "cache") });
}

test("a sweep is read, evaluated and continued on another machine; its fusion runs only with --trust", async () => {
  const swept = await run(there, "sweep", "mine.json", "--workers", "1");
  expect(swept.code, swept.err).toBe(0);
  const store = new SweepStore(join(there, "runs"), "mine");
  const [film = "", mine = ""] = store.read().trials.map(({ spec }) => spec.trial_id);
  const exported = await run(there, "export", "mine", "--models", "best");
  expect(exported.code, exported.err).toBe(0);

  const archive = join(there, "mine.zip");
  const imported = await run(here, "import", archive);
  expect(imported.code, imported.err).toBe(0);
  const reported = await run(here, "report", "mine");
  expect(reported.code, reported.err).toBe(0);
  const text = readFileSync(join(here, reported.out.trim()), "utf8");
  const lines = text.split("\n").filter((line) => !line.includes("Imported results"));
  expect(text).toContain("Imported results");
  const original = readFileSync(store.reportFile("val"), "utf8");
  // Archives name no machines.
  const expected = original.replace(
    "The 2 trials ran on one machine.",
    "The machines that the trials ran on are not recorded.",
  );
  expect(expected).not.toBe(original);
  expect(lines.filter((line) => line !== "")).toEqual(expected.split("\n").filter((line) => line !== ""));

  const evaluated = await run(here, "evaluate", film, "--split", "test");
  expect(evaluated.code, evaluated.err).toBe(0);
  expect(JSON.parse(evaluated.out).metrics).toEqual(
    JSON.parse((await run(there, "evaluate", film, "--split", "test")).out).metrics,
  );

  await untrusted(mine);
  const continued = await run(here, "sweep", "mine.json", "--workers", "1");
  expect(continued.code, continued.err).toBe(0);
  expect(continued.err).toContain("2 trials, 2 already done");
  await untrusted(mine);

  const trusted = await run(here, "import", archive, "--trust");
  expect(trusted.code, trusted.err).toBe(0);
  const own = await run(here, "evaluate", mine, "--split", "test");
  expect(own.code, own.err).toBe(0);
  expect(existsSync(ran)).toBe(true);
});

async function untrusted(mine: string): Promise<void> {
  rmSync(ran, { force: true });
  for (const argv of [
    ["evaluate", mine, "--split", "test"],
    ["report", "mine", "--split", "test"],
  ]) {
    const refused = await run(here, ...argv);
    expect(refused.code, refused.err).toBe(2);
    expect(refused.err).toContain("--trust");
  }
  expect(existsSync(ran)).toBe(false);
}
