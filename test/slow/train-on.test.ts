/** Prepares a joint training set by real Python; test/interrupts has a sweep on one. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { cliprpnWithPython, prepareSweep } from "../helpers/cli.ts";
import { makeJointData, shareImage } from "../helpers/joint-data.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("train-on");
const cache = join(folder, "cache");

beforeAll(() => makeJointData(folder));

test("a dry run counts what is left out, once the datasets are prepared, and writes nothing", async () => {
  const first = await dryRun();
  expect(first).toMatch(/Not counted: .* prepared on first use: a, b\./);
  const prepared = await preflight();
  expect(prepared).toMatch(/15 images with .* 1 image of evaluation splits, .* was left out of training/);
  const [id = ""] = readdirSync(join(cache, "joint"));
  for (const name of ["joint", "prepared"]) rmSync(join(cache, name, id), { recursive: true });
  expect(await dryRun()).toMatch(/15 images with .* 1 image of evaluation splits/);
  expect(readdirSync(join(cache, "joint"))).toEqual([]);
});

test("an incomplete joint training set is made again, with the same content", async () => {
  await preflight();
  const before = contents();
  const [id = ""] = readdirSync(join(cache, "joint"));
  // As after a kill while the annotations, or the images, were written: dataset.json is the last file.
  rmSync(join(cache, "prepared", id, "dataset.json"));
  rmSync(join(cache, "joint", id, "annotations/refs(own).p"));
  truncateSync(join(cache, "prepared", id, "sentences.parquet"), 10);
  await preflight();
  expect(contents()).toEqual(before);
});

test("with other images in one of its datasets, it is made again", async () => {
  await preflight();
  const [id = ""] = readdirSync(join(cache, "joint"));
  shareImage(folder, 1);
  expect(await preflight()).toMatch(/14 images with .* 2 images of evaluation splits/);
  expect(readdirSync(join(cache, "joint"))).toEqual([id]);
  const facts = readFileSync(join(cache, "prepared", id, "dataset.json"), "utf8");
  expect(JSON.parse(facts).joint).toMatchObject({ num_images: 14, num_images_left_out: 2 });
});

function preflight(): Promise<string> {
  return prepareSweep("e.json", folder, { CLIPRPN_CACHE: cache });
}

async function dryRun(): Promise<string> {
  const { code, err } = await cliprpnWithPython(["sweep", "e.json", "--dry-run"], folder, {
    CLIPRPN_CACHE: cache,
  });
  expect(code, err).toBe(0);
  return err;
}

/** Hashes of the annotations, tables and pixels of the joint training set. */
function contents(): string[] {
  const [id = ""] = readdirSync(join(cache, "joint"));
  return ["joint", "prepared"].flatMap((name) =>
    readdirSync(join(cache, name, id), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(p|parquet|npy)$|instances\.json$/.test(file))
      .sort()
      .map((file) => {
        const content = readFileSync(join(cache, name, id, file));
        return `${file} ${createHash("sha256").update(content).digest("hex")}`;
      }),
  );
}
