/** Signals to the built command while its decoder processes run; for sweeps, see sweep.test.ts. */
import { existsSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { type CliProcess, startCli } from "../helpers/cli-process.ts";
import { type MarkedProcesses, markProcesses, until, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("signals");
const numImages = 150;

beforeAll(async () => {
  const photos = join(folder, "photos");
  mkdirSync(photos);
  const names = Array.from({ length: numImages }, (_, index) => `${index}.png`);
  const noise = { type: "gaussian", mean: 128, sigma: 60 } as const;
  await sharp({ create: { width: 1000, height: 1000, channels: 3, background: "white", noise } })
    .png()
    .toFile(join(photos, "0.png"));
  for (const name of names.slice(1)) linkSync(join(photos, "0.png"), join(photos, name));
  const rows = names.map((image, index) => ({
    image,
    sentence: `image ${index}`,
    box: [10, 10, 500, 500],
    split: index % 2 === 0 ? "train" : "val",
  }));
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});

/** `prepare` of many large images. */
function prepare(name: string): CliProcess & { processes: MarkedProcesses } {
  const processes = markProcesses();
  const source = ["--from", "rows.jsonl", "--images", "photos", "--box-format", "xyxy"];
  const args = ["prepare", name, ...source, "--python", testPython()];
  const env = { ...processes.env, CLIPRPN_CACHE: join(folder, "cache") };
  return { ...startCli(args, folder, env), processes };
}

/** Waits for a decoder process. @throws if the command ends without one. */
async function decoding({ child, processes, err }: ReturnType<typeof prepare>): Promise<void> {
  const hasDecoder = (): boolean => processes.running().some((line) => line.includes("dist/decoder-main.js"));
  await until(() => child.exitCode !== null || hasDecoder());
  if (child.exitCode !== null) throw new Error(`the command ended without decoding:\n${err()}`);
}

test("Ctrl-C while images are decoded ends the command and its decoders", async () => {
  const run = prepare("interrupted");
  await decoding(run);
  run.child.kill("SIGINT");
  expect(await run.ended, run.err()).toBe(130);
  await untilNone(run.processes);
  expect(existsSync(join(folder, "data/interrupted/dataset.json"))).toBe(false);
});

test("after SIGKILL no decoder is left, and the same command finishes", async () => {
  const killed = prepare("killed");
  await decoding(killed);
  killed.child.kill("SIGKILL");
  await untilNone(killed.processes);
  const again = prepare("killed");
  expect(await again.ended, again.err()).toBe(0);
  expect(existsSync(join(folder, "data/killed/dataset.json"))).toBe(true);
});
